// Drives Go's cgroups library through its own API, for the benchmark: reads an order a line, answers a line.
//
//	life PATH        creates a cgroup with limits, adds a process; ends that, untimed; removes the cgroup: nanoseconds
//	tree PATH COUNT  opens so many cgroups below one
//	one              all statistics of one of them: nanoseconds
//	all              all statistics of each of them: nanoseconds
//	list PATH        the processes of the whole tree: nanoseconds
//	oom PATH BYTES   from the word that lets a program eat memory until the notice that there is none left: nanoseconds
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/manager"
	"golang.org/x/sys/unix"
)

var tree []cgroups.Manager

func resources(memory int64) *cgroups.Resources {
	pids := int64(32)
	r := &cgroups.Resources{Memory: memory, PidsLimit: &pids, CpuShares: 512, CpuQuota: 50000, CpuPeriod: 100000, SkipDevices: true}
	return r
}

func open(path string, r *cgroups.Resources) (cgroups.Manager, error) {
	return manager.New(&cgroups.Cgroup{Path: path, Resources: r})
}

// A program that waits for a line before it does anything.
func waiting(command string) (*exec.Cmd, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command("sh", "-c", "read go; "+command)
	cmd.Stdin = r
	err = cmd.Start()
	r.Close()
	return cmd, w, err
}

func end(cmd *exec.Cmd, stdin *os.File) {
	cmd.Process.Kill()
	cmd.Wait()
	stdin.Close()
}

func life(path string) (time.Duration, error) {
	cmd, stdin, err := waiting("exit")
	if err != nil {
		return 0, err
	}
	start := time.Now()
	m, err := open(path, resources(64<<20))
	if err == nil {
		err = m.Apply(cmd.Process.Pid)
	}
	if err == nil {
		err = m.Set(resources(64 << 20))
	}
	took := time.Since(start)
	end(cmd, stdin)
	if err != nil {
		return 0, err
	}
	start = time.Now()
	err = m.Destroy()
	return took + time.Since(start), err
}

func oom(path string, bytes int64) (time.Duration, error) {
	cmd, stdin, err := waiting("exec tail /dev/zero")
	if err != nil {
		return 0, err
	}
	defer end(cmd, stdin)
	m, err := open(path, resources(bytes))
	if err != nil {
		return 0, err
	}
	defer func() {
		end(cmd, stdin)
		m.Destroy()
	}()
	if err := m.Apply(cmd.Process.Pid); err != nil {
		return 0, err
	}
	if err := m.Set(resources(bytes)); err != nil {
		return 0, err
	}
	wait, err := notice(m.Path("memory"))
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := stdin.WriteString("go\n"); err != nil {
		return 0, err
	}
	err = wait()
	return time.Since(start), err
}

// What libcontainer has its notice from: the library of cgroups itself has none.
func notice(dir string) (func() error, error) {
	if cgroups.IsCgroup2UnifiedMode() {
		return changed(filepath.Join(dir, "memory.events"))
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	control, err := os.Open(filepath.Join(dir, "memory.oom_control"))
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("%d %d", event, control.Fd())
	if err := os.WriteFile(filepath.Join(dir, "cgroup.event_control"), []byte(line), 0); err != nil {
		return nil, err
	}
	return func() error {
		defer control.Close()
		defer unix.Close(event)
		_, err := unix.Read(event, make([]byte, 8))
		return err
	}, nil
}

func changed(file string) (func() error, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if _, err := unix.InotifyAddWatch(fd, file, unix.IN_MODIFY); err != nil {
		return nil, err
	}
	return func() error {
		defer unix.Close(fd)
		for buffer := make([]byte, 4096); ; {
			if _, err := unix.Read(fd, buffer); err != nil {
				return err
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for _, line := range strings.Split(string(text), "\n") {
				if n, ok := strings.CutPrefix(line, "oom_kill "); ok && n != "0" {
					return nil
				}
			}
		}
	}, nil
}

func timed(act func() error) (time.Duration, error) {
	start := time.Now()
	err := act()
	return time.Since(start), err
}

func openTree(path string, count int) error {
	tree = nil
	for i := 0; i < count; i++ {
		m, err := open(fmt.Sprintf("%s/%d", path, i), resources(0))
		if err != nil {
			return err
		}
		tree = append(tree, m)
	}
	return nil
}

func answer(words []string) (time.Duration, error) {
	switch words[0] {
	case "life":
		return life(words[1])
	case "tree":
		count, _ := strconv.Atoi(words[2])
		return 0, openTree(words[1], count)
	case "one":
		return timed(func() error {
			_, err := tree[0].GetStats()
			return err
		})
	case "all":
		return timed(func() error {
			for _, m := range tree {
				if _, err := m.GetStats(); err != nil {
					return err
				}
			}
			return nil
		})
	case "list":
		m, err := open(words[1], resources(0))
		if err != nil {
			return 0, err
		}
		return timed(func() error {
			pids, err := m.GetAllPids()
			if err == nil && len(pids) == 0 {
				return fmt.Errorf("no processes in %s", words[1])
			}
			return err
		})
	case "oom":
		bytes, _ := strconv.ParseInt(words[2], 10, 64)
		return oom(words[1], bytes)
	}
	return 0, fmt.Errorf("unknown order %s", words[0])
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		took, err := answer(strings.Fields(lines.Text()))
		if err != nil {
			fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println(took.Nanoseconds())
		}
	}
}
