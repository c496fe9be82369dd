"""A wire between hosts that loses, delays and parts what they send: IP packets between TUN devices, so that the kernel's TCP has to cope.

Arguments: devices, each with the address of its host, such as `tt0=198.18.1.1`. It makes the devices, and says `"ready"`. Lines on stdin:
`loss SHARE`, `delay SECONDS` (one way), `part ADDRESS`, `join ADDRESS`.
"""
import fcntl, heapq, itertools, json, os, random, select, socket, struct, sys, time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000

devices, addresses = {}, {}
for argument in sys.argv[1:]:
    name, address = argument.split("=")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    devices[device] = socket.inet_aton(address)
    addresses[socket.inet_aton(address)] = device

loss, delay, parted = 0.0, 0.0, set()
late, numbers = [], itertools.count()
random.seed(18)
print(json.dumps("ready"), flush=True)
while True:
    wait = max(0, late[0][0] - time.monotonic()) if late else None
    readable, _, _ = select.select([sys.stdin, *devices], [], [], wait)
    for source in readable:
        if source is sys.stdin:
            words = sys.stdin.readline().split()
            match words:
                case ["loss", share]:
                    loss = float(share)
                case ["delay", seconds]:
                    delay = float(seconds)
                case ["part", address]:
                    parted.add(socket.inet_aton(address))
                case ["join", address]:
                    parted.discard(socket.inet_aton(address))
                case _:
                    sys.exit()
            print(json.dumps(words), flush=True)
            continue
        try:
            packet = os.read(source, 1 << 16)
        except OSError:
            # The device is not up yet.
            continue
        ends = {devices[source], packet[16:20]}
        if packet[16:20] in addresses and not ends & parted and random.random() >= loss:
            heapq.heappush(late, (time.monotonic() + delay, next(numbers), addresses[packet[16:20]], packet))
    while late and late[0][0] <= time.monotonic():
        _, _, target, packet = heapq.heappop(late)
        try:
            os.write(target, packet)
        except OSError:
            # As a full queue of a real wire.
            pass
