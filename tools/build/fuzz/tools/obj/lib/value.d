build/fuzz/tools/obj/lib/value.o: /tmp/w/h6/tools/lib/value.c \
  /tmp/w/h6/tools/lib/bare.h /tmp/w/h6/tools/lib/buf.h \
  /tmp/w/h6/tools/lib/reader.h /tmp/w/h6/tools/lib/crypto.h \
  /tmp/w/h6/tools/lib/err.h /tmp/w/h6/tools/lib/hex.h \
  /tmp/w/h6/tools/lib/value.h

/tmp/w/h6/tools/lib/bare.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/reader.h:

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/err.h:

/tmp/w/h6/tools/lib/hex.h:

/tmp/w/h6/tools/lib/value.h:
