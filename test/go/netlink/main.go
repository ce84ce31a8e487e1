// Drives vishvananda's netlink, for the benchmark: reads an order a line, answers a line: nanoseconds, microseconds of the processor, count.
//
//	links                     lists the links
//	routes                    lists the routes of IPv4
//	stream                    the same one by one
//	addresses DEVICE COUNT    adds so many addresses
//	one DEVICE COUNT          the same one by one, for who has another way
//	veth COUNT                makes and deletes so many pairs, one after another
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

// used is the time of the processor that this process has taken.
func used() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func addresses(handle *netlink.Handle, device string, count int) (int, error) {
	link, err := handle.LinkByName(device)
	if err != nil {
		return 0, err
	}
	for i := 0; i < count; i++ {
		ip := net.IPv4(10, byte(i>>16), byte(i>>8), byte(i))
		if err := handle.AddrAdd(link, &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(32, 32)}}); err != nil {
			return i, err
		}
	}
	return count, nil
}

func veth(handle *netlink.Handle, count int) (int, error) {
	for i := 0; i < count; i++ {
		attributes := netlink.NewLinkAttrs()
		attributes.Name = "bench-a"
		pair := &netlink.Veth{LinkAttrs: attributes, PeerName: "bench-b"}
		if err := handle.LinkAdd(pair); err != nil {
			return i, err
		}
		if err := handle.LinkDel(pair); err != nil {
			return i, err
		}
	}
	return count, nil
}

func answer(handle *netlink.Handle, order []string) (int, error) {
	number := 0
	if len(order) > 1 {
		number, _ = strconv.Atoi(order[len(order)-1])
	}
	switch order[0] {
	case "links":
		links, err := handle.LinkList()
		return len(links), err
	case "routes":
		routes, err := handle.RouteList(nil, netlink.FAMILY_V4)
		return len(routes), err
	case "stream":
		count := 0
		filter := &netlink.Route{Table: syscall.RT_TABLE_MAIN}
		err := handle.RouteListFilteredIter(netlink.FAMILY_V4, filter, netlink.RT_FILTER_TABLE, func(netlink.Route) bool {
			count++
			return true
		})
		return count, err
	case "addresses", "one":
		return addresses(handle, order[1], number)
	case "veth":
		return veth(handle, number)
	}
	return 0, fmt.Errorf("no order: %s", order[0])
}

func main() {
	// One socket for all, which is its quickest way.
	handle, err := netlink.NewHandle(syscall.NETLINK_ROUTE)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer handle.Close()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		start, before := time.Now(), used()
		count, err := answer(handle, strings.Split(lines.Text(), " "))
		took, busy := time.Since(start), used()-before
		if err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Println(took.Nanoseconds(), busy.Microseconds(), count)
		}
	}
}
