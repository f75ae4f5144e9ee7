build/fuzz/tools/obj/lib/nl_attr.o: /tmp/w/h6/tools/lib/nl_attr.c \
  /tmp/w/h6/tools/lib/nl_priv.h /usr/include/libnl3/netlink/attr.h \
  /usr/include/libnl3/netlink/netlink.h \
  /usr/include/libnl3/netlink/netlink-compat.h \
  /usr/include/libnl3/netlink/version.h \
  /usr/include/libnl3/netlink/errno.h \
  /usr/include/libnl3/netlink/types.h \
  /usr/include/libnl3/netlink/handlers.h \
  /usr/include/libnl3/netlink/netlink-kernel.h \
  /usr/include/libnl3/netlink/socket.h \
  /usr/include/libnl3/netlink/object.h \
  /usr/include/libnl3/netlink/utils.h /usr/include/libnl3/netlink/list.h \
  /usr/include/libnl3/netlink/addr.h /usr/include/libnl3/netlink/data.h \
  /usr/include/libnl3/netlink/msg.h /tmp/w/h6/tools/lib/nl.h \
  /tmp/w/h6/include/uapi/linux/ockam.h \
  /tmp/w/h6/include/uapi/linux/ockam_netlink.h /tmp/w/h6/tools/lib/err.h

/tmp/w/h6/tools/lib/nl_priv.h:

/usr/include/libnl3/netlink/attr.h:

/usr/include/libnl3/netlink/netlink.h:

/usr/include/libnl3/netlink/netlink-compat.h:

/usr/include/libnl3/netlink/version.h:

/usr/include/libnl3/netlink/errno.h:

/usr/include/libnl3/netlink/types.h:

/usr/include/libnl3/netlink/handlers.h:

/usr/include/libnl3/netlink/netlink-kernel.h:

/usr/include/libnl3/netlink/socket.h:

/usr/include/libnl3/netlink/object.h:

/usr/include/libnl3/netlink/utils.h:

/usr/include/libnl3/netlink/list.h:

/usr/include/libnl3/netlink/addr.h:

/usr/include/libnl3/netlink/data.h:

/usr/include/libnl3/netlink/msg.h:

/tmp/w/h6/tools/lib/nl.h:

/tmp/w/h6/include/uapi/linux/ockam.h:

/tmp/w/h6/include/uapi/linux/ockam_netlink.h:

/tmp/w/h6/tools/lib/err.h:
