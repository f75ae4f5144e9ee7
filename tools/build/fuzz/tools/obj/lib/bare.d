build/fuzz/tools/obj/lib/bare.o: /tmp/w/h6/tools/lib/bare.c \
  /tmp/w/h6/tools/lib/bare.h /tmp/w/h6/tools/lib/buf.h \
  /tmp/w/h6/tools/lib/reader.h

/tmp/w/h6/tools/lib/bare.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/reader.h:
