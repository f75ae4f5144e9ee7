build/fuzz/tools/obj/lib/trust.o: /tmp/w/h6/tools/lib/trust.c \
  /tmp/w/h6/tools/lib/trust.h /tmp/w/h6/tools/lib/identity.h \
  /tmp/w/h6/tools/lib/buf.h /tmp/w/h6/tools/lib/crypto.h \
  /tmp/w/h6/tools/lib/err.h /tmp/w/h6/tools/lib/reader.h

/tmp/w/h6/tools/lib/trust.h:

/tmp/w/h6/tools/lib/identity.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/err.h:

/tmp/w/h6/tools/lib/reader.h:
