# Drives pyroute2, for the benchmark: reads an order a line, answers a line. The orders are those of test/go/netlink/main.go.
import socket
import sys
import time

from pyroute2 import IPRoute

net = IPRoute()


def nth(i):
    return f'10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}'


def links():
    return len(list(net.get_links()))


def routes():
    return len(list(net.get_routes(family=socket.AF_INET, table=254)))


def stream():
    count = 0
    for _ in net.get_routes(family=socket.AF_INET, table=254):
        count += 1
    return count


def one(device, count):
    index = net.link_lookup(ifname=device)[0]
    for i in range(int(count)):
        net.addr('add', index=index, address=nth(i), prefixlen=32)
    return count


def veth(count):
    for _ in range(int(count)):
        net.link('add', ifname='bench-a', kind='veth', peer='bench-b')
        net.link('del', ifname='bench-a')
    return count


orders = {'links': links, 'routes': routes, 'stream': stream, 'one': one, 'addresses': one, 'veth': veth}

for line in sys.stdin:
    order, *args = line.split()
    try:
        start, before = time.monotonic_ns(), time.process_time_ns()
        count = orders[order](*args)
        print(time.monotonic_ns() - start, (time.process_time_ns() - before) // 1000, count, flush=True)
    except Exception as error:
        print('error', repr(error).replace('\n', ' '), flush=True)
net.close()
