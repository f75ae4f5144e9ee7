build/fuzz/tools/obj/lib/store.o: /tmp/w/h6/tools/lib/store.c \
  /tmp/w/h6/tools/lib/store_sql.h /tmp/w/h6/tools/lib/store.h \
  /tmp/w/h6/tools/lib/attestation.h /tmp/w/h6/tools/lib/identity.h \
  /tmp/w/h6/tools/lib/buf.h /tmp/w/h6/tools/lib/crypto.h \
  /tmp/w/h6/tools/lib/err.h /tmp/w/h6/tools/lib/reader.h \
  /tmp/w/h6/tools/lib/home.h /tmp/w/h6/tools/lib/names.h

/tmp/w/h6/tools/lib/store_sql.h:

/tmp/w/h6/tools/lib/store.h:

/tmp/w/h6/tools/lib/attestation.h:

/tmp/w/h6/tools/lib/identity.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/err.h:

/tmp/w/h6/tools/lib/reader.h:

/tmp/w/h6/tools/lib/home.h:

/tmp/w/h6/tools/lib/names.h:
