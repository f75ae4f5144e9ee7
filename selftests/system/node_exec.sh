#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The Ockam for Linux authors
#
# The sandbox of "node exec", line by line: channels, and no IP, no VSOCK, no UNIX
# socket of the host, no name service; no way around the filter; and that it is a
# program like any other: status, signals, terminal, user, directory.
#
# where: uml vm
# long: debug
# timeout: 300

. "$(dirname "$0")/ockamd.inc"

export PYTHONPATH PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$(cd "$(dirname "$0")/../.." && pwd)/tools/python
server=
trap 'ockamctl reset -y >/dev/null 2>&1; [ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$OCKAM_HOME" /run/ockam-test.sock' EXIT

inside()
{
	ockamctl node exec n1 -- "$@"
}

# checks COMMAND...: its lines "pass NAME" and "fail NAME" are tests; how many there are
checks()
{
	checked=0
	while read -r result name; do
		[ "$result" = pass ]
		ok $? "$name"
		checked=$((checked + 1))
	done < <("$@" 2>&1)
}

run_ok "a node" ockamctl node create n1
run_ok "and another one" ockamctl node create n2
channel=$(ockamctl secure-channel create --from n1 --to /node/n2/service/api | sed 's,.*/,,')

# ---- what the program has, and has not ----

cat >"$OCKAM_HOME/server.py" <<'EOP'
import select
import socket
import sys

sockets = []
for address in sys.argv[1:]:
    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
        sock = socket.socket(socket.AF_UNIX, kind)
        sock.bind(address.replace("@", "\0") + str(kind.value))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        sockets.append(sock)
print("up", flush=True)
select.select([], [], [])
EOP
python3 "$OCKAM_HOME/server.py" /run/ockam-test.sock "$OCKAM_HOME/sock" @ockam-test \
	>"$OCKAM_HOME/server.out" & server=$!
wait_for 10 grep -q up "$OCKAM_HOME/server.out"
ok $? "a service of the host"

cat >"$OCKAM_HOME/inside.py" <<'EOP'
import ctypes
import errno
import fcntl
import os
import socket
import subprocess
import sys
import termios

from ockam_socket import Socket

channel, home, control, own = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)


def check(good, name):
    print("pass" if good else "fail", name, flush=True)


def refuses(code, call, *args):
    try:
        call(*args)
    except OSError as error:
        return error.errno == code
    return False


def syscall(*args):
    """The errno of a system call, or 0."""
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.syscall(*args) < 0 else 0


def families(kind):
    """Families of which a socket can be had."""
    found = []
    for family in range(64):
        try:
            socket.socket(family, kind).close()
            found.append(family)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT and family != 18:
                found.append((family, error.errno))
    return found


# Channels.
with Socket() as sock:
    sock.bind()
    sock.settimeout(10)
    sock.sendto(b"\x05hello", [channel, "echo"])
    check(sock.recvfrom(100)[0] == b"\x05hello", "a channel to the peer")

# Only channels.
check(families(socket.SOCK_DGRAM) == [18], f"one family has sockets: {families(socket.SOCK_DGRAM)}")
for kind in socket.SOCK_STREAM, socket.SOCK_RAW, socket.SOCK_RDM, socket.SOCK_SEQPACKET:
    check(families(kind) in ([], [18]), f"no other one has {kind.name}: {families(kind)}")
none = errno.EAFNOSUPPORT
check(refuses(none, socket.create_connection, ("127.0.0.1", 1)), "no IPv4")
check(refuses(none, socket.socket, socket.AF_INET6, socket.SOCK_DGRAM), "no IPv6")
check(refuses(none, socket.socket, socket.AF_VSOCK, socket.SOCK_STREAM), "no VSOCK")
check(refuses(none, socket.socket, socket.AF_NETLINK, socket.SOCK_RAW), "no netlink")
check(refuses(none, socket.socket, socket.AF_PACKET, socket.SOCK_RAW), "no packets")
check(refuses(none, socket.socket, socket.AF_UNIX), "no UNIX socket")
check(syscall(41, ctypes.c_ulong(18 + (1 << 32)), 2, 0) == none, "no number that is cut to 18")
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
a.send(b"x")
check(b.recv(1) == b"x", "a pair of UNIX sockets")
packets = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)[0]
for sock in a, packets:
    for address in home + "/sock1", "\0ockam-test1":
        check(sock.connect_ex(address) in (errno.EISCONN, errno.ECONNREFUSED, errno.EPROTOTYPE,
                                           errno.EACCES), f"which cannot be connected: {address!r}")
for kind in socket.SOCK_DGRAM, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, socket.SOCK_RAW:
    check(refuses(errno.EPROTONOSUPPORT, socket.socketpair, socket.AF_UNIX, kind),
          f"none that could be connected to others: {int(kind):#x}")
check(refuses(none, socket.socketpair, 30, socket.SOCK_STREAM), "nor of TIPC")

# Sockets of the host are not even seen.
check(os.listdir("/run") == [] and not os.path.exists("/run/ockam-test.sock1"), "/run is empty")
check(not os.path.exists(control), "the control socket of the node is not there")
check(not os.path.exists("/dev/log") or not os.path.exists(os.path.realpath("/dev/log")) or
      os.stat("/dev/log").st_rdev == os.stat("/dev/null").st_rdev, "/dev/log leads nowhere")

# No name service; files are files.
try:
    socket.getaddrinfo("one.example", 1)
    check(False, "no name service")
except OSError:
    check(True, "no name service")
check(subprocess.run(["getent", "ahosts", "one.example"], check=False).returncode,
      "nor for others")

# No way around.
for number, name in ((425, "io_uring_setup"), (426, "io_uring_enter"),
                     (427, "io_uring_register"), (435, "clone3")):
    check(syscall(number, 1, 0, 0, 0, 0, 0) == errno.ENOSYS, f"no {name}")
CLONE_NEWUSER, CLONE_NEWNET, SIGCHLD = 0x10000000, 0x40000000, 17
check(syscall(272, CLONE_NEWUSER) == errno.EPERM, "no user namespace by unshare()")
check(syscall(272, CLONE_NEWUSER | CLONE_NEWNET) == errno.EPERM, "nor with others")
check(syscall(272, CLONE_NEWNET) == errno.EPERM, "no network namespace")
check(syscall(56, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) == errno.EPERM, "nor one by clone()")
for name in "root", "fd/0", "cwd", "ns/net":
    check(refuses(errno.EACCES, os.readlink, "/proc/1/" + name) or
          refuses(errno.EPERM, os.readlink, "/proc/1/" + name), f"the first process hides {name}")
with open("/proc/self/ns/net") as ns:
    check(syscall(308, ns.fileno(), 0) == errno.EPERM, "no setns()")
for request in termios.TIOCSTI, 0x541c, termios.TIOCSTI | (1 << 32):
    check(syscall(16, 0, ctypes.c_ulong(request), b"x") == errno.EPERM, f"no ioctl {request:#x}")
child = subprocess.run([sys.executable, "-c",
                        "import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 41, 2, 1, 0)"],
                       check=False)
check(child.returncode == -31, f"calls of x32 end a program: {child.returncode}")
if os.environ.get("OCKAM_MACHINE") != "uml":
    code = ("import ctypes, mmap; m = mmap.mmap(-1, 4096, prot=7);"
            "m.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3');"
            "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()")
    child = subprocess.run([sys.executable, "-c", code], check=False)
    check(child.returncode == -31, f"those of i386 too: {child.returncode}")

# No privileges.
with open("/proc/self/status", encoding="ascii") as status:
    fields = {name: value.strip() for name, value in (line.split(":", 1) for line in status)}
for name in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
    check(fields[name] == "0" * 16, f"{name} is empty")
check(fields["NoNewPrivs"] == "1", "no new privileges")
check(fields["Seccomp"] == "2", "a filter")
others = [int(name) for name in os.listdir("/proc") if name.isdigit()]
check(set(others) <= {1, os.getpid()}, f"no other process is seen: {others}")
check(os.stat("/proc/self/ns/net").st_ino == int(own), "the node's network namespace")
links = [os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd")
         if os.path.lexists("/proc/self/fd/" + fd)]
check(not [link for link in links if "server.py" in link], f"no file of the caller's: {links}")
EOP

control=$(ls /run/ockam/*/n1)
own=$(stat -Lc %i "/proc/$(node_pid n1)/ns/net")
exec 7<"$OCKAM_HOME/server.py" 8<>/dev/null
# sandboxed NODE [OPTION...]: what is in there
sandboxed()
{
	checks ockamctl node exec "$@" -- /usr/bin/python3 - "$channel" "$OCKAM_HOME" "$control" \
		"$own" <"$OCKAM_HOME/inside.py"
	[ "$checked" -ge 54 ]
	ok $? "every check of $* was reached" "$checked"
}
sandboxed n1
exec 7<&- 8<&-
kill -0 "$server"
ok $? "the service of the host is as before"
[ -S /run/ockam-test.sock1 ] && [ -S "$control" ]
ok $? "and the host's own /run"
ls /proc/$$/status >/dev/null
ok $? "and its /proc"

# ---- a program like any other ----

it 0 "" inside true
it 7 "" inside sh -c 'exit 7'
it 137 "" inside sh -c 'kill -9 $$'
it 143 "" inside sh -c 'kill $$'
it 127 "Cannot run no-such-program" inside no-such-program
it 126 "Cannot run $OCKAM_HOME/server.py" inside "$OCKAM_HOME/server.py"
same "$(inside printf '%s|' --help -V -- 'a b')" '--help|-V|--|a b|' "its arguments are its own"
same "$(ockamctl node exec n1 echo -n x)" x "also without dashes before it"
same "$(echo text | inside cat)" text "standard input and output"
same "$(inside sh -c 'echo e >&2' 2>&1)" e "and error"
same "$(cd /usr/lib && TEST_OF=x inside sh -c 'echo $PWD $TEST_OF; pwd -P' | xargs)" \
	"/usr/lib x /usr/lib" "directory and environment are kept"
same "$(ockamctl node exec n1 --env ONE=1 -- sh -c 'echo $ONE')" 1 "a variable for it"
same "$(ulimit -c 5; inside bash -c 'ulimit -c')" 5 "limits of core files, too"
same "$(umask 27; inside sh -c umask)" 0027 "and the mask of modes"
mkdir /run/ockam-test.d
it 70 "The working directory /run/ockam-test.d is hidden" sh -c \
	'cd /run/ockam-test.d && exec ockamctl node exec n1 -- true'
rmdir /run/ockam-test.d
same "$(ockamctl node exec /node/n1 -- echo y)" y "a node by its route"
same "$(ockamctl node exec -- echo z)" z "or the default one"
same "$(SHELL=/bin/echo ockamctl node shell n1)" "" "the shell is the caller's"
same "$(echo 'exit 9' | SHELL=/bin/sh ockamctl node shell n1; echo $?)" 9 "its status"

# ---- users ----

same "$(ockamctl node exec n1 --user nobody -- id -u)" "$(id -u nobody)" "another user"
same "$(ockamctl node exec n1 -u nobody -- id -gn)" "$(id -gn nobody)" "his group"
same "$(ockamctl node exec n1 -u nobody:daemon -- id -gn)" daemon "or another one"
same "$(ockamctl node exec n1 -u 54321 -- sh -c 'id -u; id -G' | xargs)" "54321 54321" \
	"a number without a name"
same "$(ockamctl node exec n1 -u 54321:54322 -- sh -c 'id -u; id -G' | xargs)" "54321 54322" \
	"and a group without one"
it 70 "There is no user no-such-user" ockamctl node exec n1 -u no-such-user -- true
it 70 "There is no group no-such-group" ockamctl node exec n1 -u nobody:no-such-group -- true
it 70 "There is no user 4294967295" ockamctl node exec n1 -u 4294967295 -- true
sandboxed n1 --user nobody

# ---- refusals ----

it 64 "the following required arguments were not provided: <COMMAND>" ockamctl node exec n1
it 64 "the following required arguments were not provided: <COMMAND>" ockamctl node exec n1 --
it 70 "There is no node with name n9" ockamctl node exec n9 -- true
run_ok "a node stops" ockamctl node stop n2
it 70 "The node n2 is not running" ockamctl node exec n2 -- true
run_ok "and starts" ockamctl node start n2
it 70 "capabilities that this process has not: CAP_SYS_ADMIN. Run it as root" \
	setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin ockamctl node exec n1 -- true
it 70 "capabilities that this process has not: CAP_SETPCAP, CAP_SETUID. Run it as root" \
	setpriv --bounding-set=-setpcap,-setuid ockamctl node exec n1 -u nobody -- true
umount "/run/netns/$(ockamctl node show n1 --jq .netns | tr -d '"')"
same "$(inside cat /proc/self/ns/net 2>/dev/null; inside stat -Lc %i /proc/self/ns/net)" "$own" \
	"without its pin the node is found by its process"

# ---- signals ----

# Whoever traps a signal says that he does.
cat >"$OCKAM_HOME/waits.sh" <<'EOP'
for signal in TERM INT HUP USR1 QUIT; do
	trap "echo $signal; exit 3" $signal
done
echo ready
while :; do sleep 0.05; done
EOP
for signal in TERM INT HUP USR1 QUIT; do
	# A job of a script ignores SIGINT and SIGQUIT from birth.
	env --default-signal=INT,QUIT ockamctl node exec n1 -- sh "$OCKAM_HOME/waits.sh" \
		>"$OCKAM_HOME/out" 2>&1 & job=$!
	wait_for 10 grep -q ready "$OCKAM_HOME/out"
	kill -$signal "$job"
	wait "$job"
	same "$? $(tail -n 1 "$OCKAM_HOME/out")" "3 $signal" "SIG$signal reaches the program"
done
ockamctl node exec n1 -- sh "$OCKAM_HOME/waits.sh" >"$OCKAM_HOME/out" 2>&1 & job=$!
wait_for 10 grep -q ready "$OCKAM_HOME/out"
program=$(pgrep -P "$job" -x sh)
kill -9 "$job"
wait "$job" 2>/dev/null
wait_for 5 gone "$program"
ok $? "it dies with ockamctl"
inside sh -c 'sleep 1000 >/dev/null 2>&1 </dev/null & echo left'
left=$(pgrep -f '^sleep 1000$')
kill -0 "$left"
ok $? "what it leaves behind goes on"
kill "$left"
wait_for 5 sh -c '! pgrep -x ockam-exec'
ok $? "with it the sandbox is gone"

# ---- terminal ----

cat >"$OCKAM_HOME/terminal.py" <<'EOP'
import os
import pty
import select
import signal
import sys
import time


def check(good, name):
    print("pass" if good else "fail", name, flush=True)


class Terminal:
    """A shell with job control on a terminal of its own."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvp(command[0], command)
        self.text = ""

    def see(self, what):
        """Wait until that has come; forget what came up to there."""
        end = time.monotonic() + 20
        while what not in self.text and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 4096).decode()
                except OSError:
                    break
        found = what in self.text
        if not found:
            print("#", repr(self.text), file=sys.stderr)
        self.text = self.text[self.text.find(what) + len(what):] if found else self.text
        return found

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


command = "ockamctl node exec n1 --"
term = Terminal("bash", "--norc", "-i")
term.type("PS1=; echo st''arted\n")
check(term.see("started"), "a shell on a terminal")
term.type(f"{command} sh -c 'test -t 0 && echo tt''y; read a; echo got $a'\n")
check(term.see("tty"), "the program has the terminal")
term.type("words\n")
check(term.see("got words"), "and reads from it")
term.type(f"{command} sh -c 'echo sl''eeps; exec sleep 1000'; echo st''atus $?\n")
check(term.see("sleeps"), "a program runs")
term.type("\x03")
check(term.see("status 130"), "Ctrl-C ends it")
term.type(f"{command} sh -c 'trap \"echo tw''ice\" INT; echo sl''eeps; read a; echo af''ter'\n")
check(term.see("sleeps"), "one that traps it")
term.type("\x03")
check(term.see("twice"), "gets it")
term.type("\n")
check("twice" not in term.text and term.see("after"), "once")
term.type(f"{command} sh loop.sh\n")
check(term.see("sleeps"), "another one")
term.type("\x1a")
check(term.see("Stopped"), "Ctrl-Z stops it, and the shell goes on")
term.type("jobs; echo do''ne\n")
check(term.see("Stopped") and term.see("done"), "which knows of the job")
term.type("fg; echo st''atus $?\n")
check(term.see("goes"), "in the foreground again")
term.type("\x03")
check(term.see("status 130"), "it goes on and is ended")
term.type("SHELL=/bin/bash ockamctl node shell n1; echo st''atus $?\n")
term.type("PS1=; echo in''side\n")
check(term.see("inside"), "a shell in the sandbox")
term.type("sh -c 'echo sl''eeps; exec sleep 1000'\n")
check(term.see("sleeps"), "has jobs of its own")
term.type("\x03")
term.type("echo st''atus $?\n")
check(term.see("status 130"), "Ctrl-C is theirs")
term.type("exit 5\n")
check(term.see("status 5"), "it ends")
term.type("read a; echo mi''ne $a\n")
term.type("again\n")
check(term.see("mine again"), "and the caller's shell has the terminal again")
term.type("bash -c 'SHELL=/bin/bash ockamctl node shell n1; read a; echo sc''ript $a'\n")
term.type("PS1=; echo in''side\n")
check(term.see("inside"), "one that a script runs")
term.type("exit\n")
check(term.see("exit\r\nexit\r\n"), "it ends")
term.type("third\n")
check(term.see("script third"), "gives it back to the script")
term.end()
EOP
cat >"$OCKAM_HOME/loop.sh" <<'EOP'
trap 'echo goes' CONT
echo sleeps
while :; do sleep 0.1; done
EOP
cd "$OCKAM_HOME" || exit
checks python3 "$OCKAM_HOME/terminal.py"
cd / || exit
same "$checked" 21 "every check was reached"

# ---- a node of the host's own namespace ----

run_ok "a node of the machine" ockamctl node create host --netns 1
own=$(stat -Lc %i /proc/self/ns/net)
channel=$(ockamctl secure-channel create --from host --to /node/n2/service/api | sed 's,.*/,,')
sandboxed host

run_ok "all nodes are deleted" ockamctl node delete --all -y
wait_for 5 module_unused
ok $? "the module is unused" "$(cat /sys/module/ockam/refcnt)"
finish
