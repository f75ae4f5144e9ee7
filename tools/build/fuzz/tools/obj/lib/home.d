build/fuzz/tools/obj/lib/home.o: /tmp/w/h6/tools/lib/home.c \
  /tmp/w/h6/tools/lib/crypto.h /tmp/w/h6/tools/lib/err.h \
  /tmp/w/h6/tools/lib/hex.h /tmp/w/h6/tools/lib/home.h \
  /tmp/w/h6/tools/lib/names.h

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/err.h:

/tmp/w/h6/tools/lib/hex.h:

/tmp/w/h6/tools/lib/home.h:

/tmp/w/h6/tools/lib/names.h:
