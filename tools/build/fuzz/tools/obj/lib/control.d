build/fuzz/tools/obj/lib/control.o: /tmp/w/h6/tools/lib/control.c \
  /tmp/w/h6/tools/lib/control.h /tmp/w/h6/tools/lib/value.h \
  /tmp/w/h6/tools/lib/buf.h /tmp/w/h6/tools/lib/err.h \
  /tmp/w/h6/tools/lib/home.h

/tmp/w/h6/tools/lib/control.h:

/tmp/w/h6/tools/lib/value.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/err.h:

/tmp/w/h6/tools/lib/home.h:
