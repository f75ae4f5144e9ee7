build/fuzz/tools/obj/lib/identity.o: /tmp/w/h6/tools/lib/identity.c \
  /tmp/w/h6/tools/lib/hex.h /tmp/w/h6/tools/lib/err.h \
  /tmp/w/h6/tools/lib/identity.h /tmp/w/h6/tools/lib/buf.h \
  /tmp/w/h6/tools/lib/crypto.h /tmp/w/h6/tools/lib/reader.h \
  /tmp/w/h6/tools/lib/signed.h

/tmp/w/h6/tools/lib/hex.h:

/tmp/w/h6/tools/lib/err.h:

/tmp/w/h6/tools/lib/identity.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/reader.h:

/tmp/w/h6/tools/lib/signed.h:
