build/fuzz/tools/obj/lib/multiaddr.o: /tmp/w/h6/tools/lib/multiaddr.c \
  /tmp/w/h6/tools/lib/bare.h /tmp/w/h6/tools/lib/buf.h \
  /tmp/w/h6/tools/lib/reader.h /tmp/w/h6/tools/lib/multiaddr.h \
  /tmp/w/h6/tools/lib/err.h

/tmp/w/h6/tools/lib/bare.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/reader.h:

/tmp/w/h6/tools/lib/multiaddr.h:

/tmp/w/h6/tools/lib/err.h:
