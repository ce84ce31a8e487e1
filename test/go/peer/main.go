// Go's libcontainer, driven through its own API by test/peers: an order a line, an answer a line, both JSON.
//
// An order is {"do": "create", "id": "…", …}; the answer {"value": …}, or {"error": "…"} with the library's own text.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	_ "github.com/opencontainers/cgroups/devices"
	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/configs"
	_ "github.com/opencontainers/runc/libcontainer/nsenter"
	"github.com/opencontainers/runc/libcontainer/specconv"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// libcontainer executes this program again as the container's init.
func init() {
	if len(os.Args) > 1 && os.Args[1] == "init" {
		runtime.GOMAXPROCS(1)
		runtime.LockOSThread()
		libcontainer.Init()
	}
}

type order struct {
	Do     string
	ID     string
	Spec   *specs.Spec
	Args   []string
	Cwd    string
	Signal int
}

type running struct {
	process *libcontainer.Process
	output  bytes.Buffer
}

var (
	root    string
	specOf  = map[string]*specs.Spec{}
	handles = map[string]*libcontainer.Container{}
	inits   = map[string]*running{}
)

func create(o order) (any, error) {
	config, err := specconv.CreateLibcontainerConfig(&specconv.CreateOpts{CgroupName: o.ID, Spec: o.Spec})
	if err != nil {
		return nil, err
	}
	container, err := libcontainer.Create(root, o.ID, config)
	if err != nil {
		return nil, err
	}
	specOf[o.ID], handles[o.ID] = o.Spec, container
	return nil, nil
}

func process(o order, first bool) *running {
	spec := specOf[o.ID].Process
	r := &running{}
	r.process = &libcontainer.Process{
		Args: o.Args, Env: spec.Env, Cwd: o.Cwd, Init: first, LogLevel: "0", NoNewPrivileges: &spec.NoNewPrivileges,
		Stdout: &r.output, Stderr: &r.output,
	}
	if r.process.Cwd == "" {
		r.process.Cwd = "/"
	}
	for _, limit := range spec.Rlimits {
		if limit.Type == "RLIMIT_NOFILE" {
			r.process.Rlimits = append(r.process.Rlimits, configs.Rlimit{Type: syscall.RLIMIT_NOFILE, Soft: limit.Soft, Hard: limit.Hard})
		}
	}
	return r
}

type result struct {
	Code   *int   `json:"code,omitempty"`
	Signal *int   `json:"signal,omitempty"`
	Output string `json:"output"`
}

func wait(r *running) (any, error) {
	state, err := r.process.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	status := state.Sys().(syscall.WaitStatus)
	answer := result{Output: r.output.String()}
	if status.Signaled() {
		number := int(status.Signal())
		answer.Signal = &number
	} else {
		number := status.ExitStatus()
		answer.Code = &number
	}
	return answer, nil
}

func obey(o order) (any, error) {
	if o.Do == "create" {
		return create(o)
	}
	container := handles[o.ID]
	if o.Do == "load" || container == nil {
		loaded, err := libcontainer.Load(root, o.ID)
		if err != nil {
			return nil, err
		}
		if o.Do == "load" {
			return loaded.ID(), nil
		}
		container = loaded
	}
	switch o.Do {
	case "start", "run":
		r := process(o, true)
		start := container.Run
		if o.Do == "start" {
			start = container.Start
		}
		if err := start(r.process); err != nil {
			return nil, err
		}
		inits[o.ID] = r
		return nil, nil
	case "release":
		return nil, container.Exec()
	case "exec":
		r := process(o, false)
		if err := container.Run(r.process); err != nil {
			return nil, err
		}
		return wait(r)
	case "wait":
		if inits[o.ID] == nil {
			return nil, errors.New("nothing was started")
		}
		return wait(inits[o.ID])
	case "status":
		status, err := container.Status()
		return status.String(), err
	case "processes":
		pids, err := container.Processes()
		return len(pids), err
	case "stats":
		stats, err := container.Stats()
		if err != nil {
			return nil, err
		}
		memory := stats.CgroupStats.MemoryStats.Usage
		return map[string]any{
			"memoryUsed": memory.Usage > 0, "memoryMax": memory.Limit,
			"pidsCurrent": stats.CgroupStats.PidsStats.Current, "pidsMax": stats.CgroupStats.PidsStats.Limit,
			"cpuUsed": stats.CgroupStats.CpuStats.CpuUsage.TotalUsage > 0,
		}, nil
	case "signal":
		return nil, container.Signal(syscall.Signal(o.Signal))
	case "pause":
		return nil, container.Pause()
	case "resume":
		return nil, container.Resume()
	case "destroy":
		return nil, container.Destroy()
	}
	return nil, fmt.Errorf("no order %q", o.Do)
}

func main() {
	root = os.Args[1]
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o order
		answer := map[string]any{}
		err := json.Unmarshal(lines.Bytes(), &o)
		if err == nil {
			answer["value"], err = obey(o)
		}
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		text, _ := json.Marshal(answer)
		fmt.Println(string(text))
	}
}
