build/fuzz/tools/obj/lib/crypto.o: /tmp/w/h6/tools/lib/crypto.c \
  /tmp/w/h6/tools/lib/crypto.h /tmp/w/h6/tools/lib/err.h

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/err.h:
