package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// realEtcd is where the servers and etcdctl are. It skips the test, loudly, where they are not.
func realEtcd(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED with -short: real clusters take a minute")
	}
	dir := os.Getenv("ETCD_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", ".cache", "etcd")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"3.7/etcd", "bin/etcdctl"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Skipf("SKIPPED, and nothing real was tested: %v; make etcd builds it", err)
		}
	}
	return dir
}

// builtDaemon builds the binary, once for all tests of a run; EA_BIN names another.
func builtDaemon(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("EA_BIN"); named != "" {
		return named
	}
	binary, err := buildDaemon()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

var buildDaemon = sync.OnceValues(func() (string, error) {
	binary, err := filepath.Abs(filepath.Join("..", "..", ".cache", "test", "etcd-appliance"))
	if err != nil {
		return "", err
	}
	if out, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", binary, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

// command is the built binary, with a temporary directory that it is to leave empty.
type command struct {
	*exec.Cmd
	out output
	tmp string
}

func startCommand(t *testing.T, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command(builtDaemon(t), args...), tmp: t.TempDir()}
	c.Stdout, c.Stderr = &c.out, &c.out
	c.Env = append(os.Environ(), "TMPDIR="+c.tmp)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// ends waits for the command, and then for nothing to be left of it.
func (c *command) ends(t *testing.T, code int) {
	t.Helper()
	_ = c.Wait()
	if got := c.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	if left := processesOf(c.Process.Pid); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if left, err := os.ReadDir(c.tmp); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
	if t.Failed() {
		t.Logf("%s", c.out.String())
	}
}

// says waits until the command has written something.
func (c *command) says(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(c.out.String(), what); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not say %q:\n%s", what, c.out.String())
		}
	}
}

// processesOf lists the processes that carry the mark of a cloud, which is its process ID.
func processesOf(cloud int) (list []string) {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environs {
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(append(environ, 0), []byte("@"+strconv.Itoa(cloud)+"\x00")) {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		list = append(list, strings.ReplaceAll(string(cmdline), "\x00", " "))
	}
	return list
}

// output is written by one goroutine and read by another.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// The demo holds from the beginning to the end, and leaves nothing.
func TestDemo(t *testing.T) {
	c := startCommand(t, "demo", "--plain", "--etcd-dir", realEtcd(t), "--etcd-version", "3.7")
	c.ends(t, exitOK)
	for _, want := range []string{"act 7 of 7 is over", "ok      every acknowledged key reads back", "Everything held."} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("does not say %q", want)
		}
	}
	_, summary, _ := strings.Cut(c.out.String(), "\n\n")
	t.Logf("\n%s", summary)
}

// Ctrl-C, and again by someone who cannot wait, leaves nothing either.
func TestDemoInterrupted(t *testing.T) {
	servers := realEtcd(t)
	for _, when := range []string{"act 1 of 7", "act 3 of 7"} {
		for _, signals := range [][]os.Signal{{os.Interrupt, os.Interrupt}, {syscall.SIGTERM}} {
			t.Run(fmt.Sprint(when, signals), func(t *testing.T) {
				c := startCommand(t, "demo", "--plain", "--etcd-dir", servers, "--etcd-version", "3.7")
				c.says(t, when)
				if len(processesOf(c.Process.Pid)) == 0 && when != "act 1 of 7" {
					t.Error("no process is marked, so that none can be found to be left")
				}
				for _, s := range signals {
					_ = c.Process.Signal(s)
				}
				c.ends(t, exitFailure)
			})
		}
	}
}

func TestCloud(t *testing.T) {
	c := startCommand(t, "cloud", "--no-instances")
	c.says(t, "aws route53 list-resource-record-sets")
	_ = c.Process.Signal(os.Interrupt)
	c.ends(t, exitOK)
}
