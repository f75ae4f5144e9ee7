build/fuzz/tools/obj/lib/packet.o: /tmp/w/h6/tools/lib/packet.c \
  /tmp/w/h6/tools/lib/packet.h /tmp/w/h6/tools/lib/buf.h \
  /tmp/w/h6/tools/lib/crypto.h /tmp/w/h6/tools/lib/err.h \
  /tmp/w/h6/tools/lib/reader.h /tmp/w/h6/tools/lib/route.h \
  /tmp/w/h6/include/uapi/linux/ockam.h

/tmp/w/h6/tools/lib/packet.h:

/tmp/w/h6/tools/lib/buf.h:

/tmp/w/h6/tools/lib/crypto.h:

/tmp/w/h6/tools/lib/err.h:

/tmp/w/h6/tools/lib/reader.h:

/tmp/w/h6/tools/lib/route.h:

/tmp/w/h6/include/uapi/linux/ockam.h:
