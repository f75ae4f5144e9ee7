build/fuzz/tools/obj/lib/names.o: /tmp/w/h6/tools/lib/names.c \
  /tmp/w/h6/tools/lib/bare.h /tmp/w/h6/tools/lib/buf.h \
  /tmp/w/h6/tools/lib/reader.h /tmp/w/h6/tools/lib/crypto.h \
  /tmp/w/h6/tools/lib/err.h /tmp/w/h6/tools/lib/names.h

/tmp/w/h6/tools/lib/bare.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/reader.h:

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/err.h:

/tmp/w/h6/tools/lib/names.h:
