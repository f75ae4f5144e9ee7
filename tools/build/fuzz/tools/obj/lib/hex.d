build/fuzz/tools/obj/lib/hex.o: /tmp/w/h6/tools/lib/hex.c \
  /tmp/w/h6/tools/lib/hex.h /tmp/w/h6/tools/lib/err.h

/tmp/w/h6/tools/lib/hex.h:

/tmp/w/h6/tools/lib/err.h:
