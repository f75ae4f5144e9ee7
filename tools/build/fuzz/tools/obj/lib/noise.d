build/fuzz/tools/obj/lib/noise.o: /tmp/w/h6/tools/lib/noise.c \
  /tmp/w/h6/tools/lib/noise.h /tmp/w/h6/tools/lib/crypto.h \
  /tmp/w/h6/tools/lib/err.h

/tmp/w/h6/tools/lib/noise.h:

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/err.h:
