build/fuzz/tools/obj/lib/err.o: /tmp/w/h6/tools/lib/err.c \
  /tmp/w/h6/tools/lib/err.h

/tmp/w/h6/tools/lib/err.h:
