build/fuzz/tools/obj/lib/buf.o: /tmp/w/h6/tools/lib/buf.c \
  /tmp/w/h6/tools/lib/buf.h

/tmp/w/h6/tools/lib/buf.h:
