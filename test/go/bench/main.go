// Drives Go's libcontainer through its own API, for the benchmark: reads an order a line, answers a line.
//
//	run BUNDLE      creates a container, runs its program, waits, destroys: nanoseconds
//	hold BUNDLE     starts one that stays
//	exec ARG...     runs a program in it and waits: nanoseconds
//	create BUNDLE   sets one up and leaves its init waiting: its pid
//	remove          kills and removes what hold and create have left
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "github.com/opencontainers/cgroups/devices"
	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/configs"
	_ "github.com/opencontainers/runc/libcontainer/nsenter"
	"github.com/opencontainers/runc/libcontainer/specconv"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// libcontainer executes this program again as the container's init.
func init() {
	if len(os.Args) > 1 && os.Args[1] == "init" {
		runtime.GOMAXPROCS(1)
		runtime.LockOSThread()
		libcontainer.Init()
	}
}

type bundle struct {
	config *configs.Config
	spec   *specs.Spec
}

var (
	root    string
	bundles = map[string]*bundle{}
	held    []*libcontainer.Container
)

// The config is made once, as a program would that has it at hand.
func open(dir string) (*bundle, error) {
	if b := bundles[dir]; b != nil {
		return b, nil
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return nil, err
	}
	spec := &specs.Spec{}
	if err := json.Unmarshal(text, spec); err != nil {
		return nil, err
	}
	config, err := specconv.CreateLibcontainerConfig(&specconv.CreateOpts{CgroupName: filepath.Base(dir), Spec: spec})
	if err != nil {
		return nil, err
	}
	b := &bundle{config, spec}
	bundles[dir] = b
	return b, nil
}

func (b *bundle) process(first bool, args []string) *libcontainer.Process {
	p := b.spec.Process
	process := &libcontainer.Process{
		Args: args, Env: p.Env, Cwd: p.Cwd, UID: int(p.User.UID), GID: int(p.User.GID), Init: first, LogLevel: "0",
		NoNewPrivileges: &p.NoNewPrivileges,
	}
	for _, limit := range p.Rlimits {
		if limit.Type == "RLIMIT_NOFILE" {
			process.Rlimits = append(process.Rlimits, configs.Rlimit{Type: unix.RLIMIT_NOFILE, Soft: limit.Soft, Hard: limit.Hard})
		}
	}
	return process
}

func run(dir string) (int64, error) {
	b, err := open(dir)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	container, err := libcontainer.Create(root, "run", b.config)
	if err != nil {
		return 0, err
	}
	process := b.process(true, b.spec.Process.Args)
	if err := container.Run(process); err != nil {
		_ = container.Destroy()
		return 0, err
	}
	_, err = process.Wait()
	if gone := container.Destroy(); err == nil {
		err = gone
	}
	return time.Since(start).Nanoseconds(), err
}

func exec(args []string) (int64, error) {
	start := time.Now()
	process := current.process(false, args)
	if err := held[len(held)-1].Run(process); err != nil {
		return 0, err
	}
	_, err := process.Wait()
	return time.Since(start).Nanoseconds(), err
}

var current *bundle

func hold(dir string, wait bool) (int64, error) {
	b, err := open(dir)
	if err != nil {
		return 0, err
	}
	current = b
	container, err := libcontainer.Create(root, "held", b.config)
	if err != nil {
		return 0, err
	}
	held = append(held, container)
	process := b.process(true, b.spec.Process.Args)
	if wait {
		err = container.Start(process)
	} else {
		err = container.Run(process)
	}
	if err != nil {
		return 0, err
	}
	pid, err := process.Pid()
	go func() { _, _ = process.Wait() }()
	return int64(pid), err
}

func remove() (int64, error) {
	for _, container := range held {
		_ = container.Signal(unix.SIGKILL)
		for i := 0; i < 500; i++ {
			if status, _ := container.Status(); status == libcontainer.Stopped {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
		if err := container.Destroy(); err != nil {
			return 0, err
		}
	}
	held = nil
	return 0, nil
}

func main() {
	root = os.Args[1]
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Split(lines.Text(), " ")
		var result int64
		var err error
		switch words[0] {
		case "run":
			result, err = run(words[1])
		case "hold":
			result, err = hold(words[1], false)
		case "create":
			result, err = hold(words[1], true)
		case "exec":
			result, err = exec(words[1:])
		case "remove":
			result, err = remove()
		default:
			err = fmt.Errorf("unknown order %q", words[0])
		}
		if err != nil {
			fmt.Printf("error %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println(result)
		}
	}
	_, _ = remove()
}
