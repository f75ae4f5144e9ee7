build/fuzz/tools/obj/lib/reader.o: /tmp/w/h6/tools/lib/reader.c \
  /tmp/w/h6/tools/lib/reader.h

/tmp/w/h6/tools/lib/reader.h:
