// Reads mountinfo by moby's package, for the benchmark: reads an order a line, answers a line.
//
//	read PID         the whole table of a process: nanoseconds
//	find PID PATH    the first mount at PATH, and no further: nanoseconds
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
)

func read(pid string, filter mountinfo.FilterFunc) (time.Duration, int, error) {
	start := time.Now()
	file, err := os.Open("/proc/" + pid + "/mountinfo")
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	mounts, err := mountinfo.GetMountsFromReader(file, filter)
	return time.Since(start), len(mounts), err
}

func answer(order []string) (time.Duration, int, error) {
	switch order[0] {
	case "read":
		return read(order[1], nil)
	case "find":
		return read(order[1], func(info *mountinfo.Info) (bool, bool) {
			here := info.Mountpoint == order[2]
			return !here, here
		})
	}
	return 0, 0, fmt.Errorf("no order: %s", order[0])
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		took, count, err := answer(strings.Split(lines.Text(), " "))
		if err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Println(took.Nanoseconds(), count)
		}
	}
}
