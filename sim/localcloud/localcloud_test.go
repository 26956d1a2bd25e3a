package localcloud_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud"
)

var ctx = context.Background()

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s\n got %v\nwant %v", what, got, want)
	}
}

// eventually waits for a condition, and fails the test if it takes too long.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timeout: %s", what)
		}
	}
}

// start runs a local cloud for the length of the test.
func start(t *testing.T, l localcloud.Launcher) *localcloud.Server {
	t.Helper()
	s, err := localcloud.New(localcloud.Options{Launcher: l, Warn: func(err error) { t.Error(err) }})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// createGroup makes a group without going over HTTP.
func createGroup(t *testing.T, s *localcloud.Server, name string, desired int32) {
	t.Helper()
	var err error
	s.Do(func(c *awsfake.Cloud) {
		_, err = c.AutoScaling("test").CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: &name, MinSize: aws.Int32(0), MaxSize: aws.Int32(9), DesiredCapacity: &desired})
	})
	must(t, err)
}

// running waits for n running instances and returns them.
func running(t *testing.T, s *localcloud.Server, n int) (list []awsfake.Instance) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d running instances", n), func() bool {
		list = nil
		s.Do(func(c *awsfake.Cloud) {
			for _, i := range c.Instances() {
				if i.State == awsfake.Running && i.Lifecycle == "InService" {
					list = append(list, i)
				}
			}
		})
		return len(list) == n
	})
	return list
}

// recorder is a Launcher that runs nothing.
type recorder struct {
	mu       sync.Mutex
	launched map[string]localcloud.Instance
	killed   []string
}

func (r *recorder) Launch(i localcloud.Instance) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.launched == nil {
		r.launched = map[string]localcloud.Instance{}
	}
	r.launched[i.ID] = i
	return nil
}

func (r *recorder) Kill(i localcloud.Instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = append(r.killed, i.ID)
}

// instance waits until an instance has been launched.
func (r *recorder) instance(t *testing.T, id string) (i localcloud.Instance) {
	t.Helper()
	eventually(t, "launch of "+id, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		i = r.launched[id]
		return i.ID != ""
	})
	return i
}

func TestTwoCloudsDoNotCollide(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	createGroup(t, a, "etcd", 3)
	createGroup(t, b, "etcd", 3)
	seen := map[string]bool{}
	for _, i := range append(running(t, a, 3), running(t, b, 3)...) {
		if seen[i.PrivateIP] || !strings.HasPrefix(i.PrivateIP, "127.") || strings.HasPrefix(i.PrivateIP, "127.0.") {
			t.Errorf("address %s", i.PrivateIP)
		}
		seen[i.PrivateIP] = true
	}
}

// TestMain is also the daemon of the process tests: it starts a "server" in a
// process group of its own, as etcd is started, and waits.
func TestMain(m *testing.M) {
	switch os.Getenv("LOCALCLOUD_TEST") {
	case "daemon":
		server := exec.Command(os.Args[0])
		server.Env = append(os.Environ(), "LOCALCLOUD_TEST=server")
		server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := server.Start(); err != nil {
			panic(err)
		}
		os.WriteFile("pids", []byte(fmt.Sprintf("%d %d", os.Getpid(), server.Process.Pid)), 0o600)
		forever()
	case "server":
		forever()
	case "cloud":
		runCloud(os.Args[1])
	}
	os.Exit(m.Run())
}

// forever is not an empty select: without cgo the runtime sees that nothing can ever wake it, and ends the process.
func forever() {
	for {
		time.Sleep(time.Hour)
	}
}

func testLauncher(t *testing.T) *localcloud.ProcessLauncher {
	return &localcloud.ProcessLauncher{Dir: t.TempDir(), Restart: time.Millisecond, Command: func(localcloud.Instance) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "LOCALCLOUD_TEST=daemon")
		return cmd
	}}
}

// pids waits for an instance's daemon and its server.
func pids(t *testing.T, l *localcloud.ProcessLauncher, id string) (daemon, server int) {
	t.Helper()
	eventually(t, "processes of "+id, func() bool {
		b, _ := os.ReadFile(filepath.Join(l.Disk(id), "pids"))
		n, _ := fmt.Sscan(string(b), &daemon, &server)
		return n == 2
	})
	return daemon, server
}

// alive tells whether a process runs; a zombie does not.
func alive(pid int) bool {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return err == nil && len(b) > 0
}

func TestProcesses(t *testing.T) {
	l := testLauncher(t)
	s, err := localcloud.New(localcloud.Options{Launcher: l})
	must(t, err)
	createGroup(t, s, "etcd", 2)
	list := running(t, s, 2)
	first, second := list[0].ID, list[1].ID
	daemon, server := pids(t, l, first)

	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", server))
	must(t, err)
	for _, want := range []string{"AWS_ENDPOINT_URL=" + s.URL(), "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://" + list[0].PrivateIP + ":", "AWS_ACCESS_KEY_ID=" + first, "LOCALCLOUD_INSTANCE=" + first + "@"} {
		if !strings.Contains(string(env), want) {
			t.Errorf("environment lacks %s", want)
		}
	}

	// A daemon that dies comes back, and what it started lives on.
	must(t, os.Remove(filepath.Join(l.Disk(first), "pids")))
	p, _ := os.FindProcess(daemon)
	must(t, p.Kill())
	again, server2 := pids(t, l, first)
	expect(t, "server survives its daemon", alive(server), true)

	// Termination leaves nothing of the instance.
	s.Do(func(c *awsfake.Cloud) {
		c.AutoScaling("test").TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{InstanceId: &first, ShouldDecrementDesiredCapacity: aws.Bool(true)})
	})
	eventually(t, "end of the disk", func() bool { _, err := os.Stat(l.Disk(first)); return os.IsNotExist(err) })
	for _, pid := range []int{server, again, server2} {
		expect(t, "alive after termination", alive(pid), false)
	}

	// Close ends the others.
	daemon, server = pids(t, l, second)
	must(t, s.Close())
	expect(t, "alive after close", alive(daemon) || alive(server), false)
}

// runCloud is a cloud of one instance in a process of its own.
func runCloud(dir string) {
	l := &localcloud.ProcessLauncher{Dir: dir, Command: func(localcloud.Instance) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "LOCALCLOUD_TEST=daemon")
		return cmd
	}}
	s, err := localcloud.New(localcloud.Options{Launcher: l})
	if err != nil {
		panic(err)
	}
	s.Do(func(c *awsfake.Cloud) {
		_, err = c.AutoScaling("test").CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("etcd"), MinSize: aws.Int32(1), MaxSize: aws.Int32(1)})
	})
	if err != nil {
		panic(err)
	}
	forever()
}

// A cloud that is killed cannot clean up; its daemons are told to.
func TestKilledCloud(t *testing.T) {
	dir := t.TempDir()
	cloud := exec.Command(os.Args[0], dir)
	cloud.Env = append(os.Environ(), "LOCALCLOUD_TEST=cloud")
	must(t, cloud.Start())
	var daemon, server int
	eventually(t, "a daemon", func() bool {
		found, _ := filepath.Glob(filepath.Join(dir, "i-*", "pids"))
		if len(found) == 0 {
			return false
		}
		b, _ := os.ReadFile(found[0])
		n, _ := fmt.Sscan(string(b), &daemon, &server)
		return n == 2
	})
	t.Cleanup(func() { syscall.Kill(server, syscall.SIGKILL) }) // this daemon does not
	must(t, cloud.Process.Kill())
	cloud.Wait()
	eventually(t, "end of the daemon", func() bool { return !alive(daemon) })
}

func TestMetadataService(t *testing.T) {
	var r recorder
	s := start(t, &r)
	createGroup(t, s, "etcd", 1)
	i := r.instance(t, running(t, s, 1)[0].ID)

	// The paths that no emulator has; the rest is in the conformance suite.
	token := call(t, "PUT", i.IMDS+"/latest/api/token", map[string]string{"X-aws-ec2-metadata-token-ttl-seconds": "60"}).body
	get := func(path string) response {
		return call(t, "GET", i.IMDS+"/latest/meta-data/"+path, map[string]string{"X-aws-ec2-metadata-token": token})
	}
	expect(t, "target", get("autoscaling/target-lifecycle-state").body, "InService")
	expect(t, "no notice", get("spot/instance-action").status, 404)
	s.Do(func(c *awsfake.Cloud) { c.InterruptSpot(i.ID, time.Hour) })
	var notice struct{ Action, Time string }
	must(t, json.Unmarshal([]byte(get("spot/instance-action").body), &notice))
	expect(t, "notice", notice.Action, "terminate")
	role := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = imds.New(imds.Options{Endpoint: i.IMDS}) })
	credentials, err := role.Retrieve(ctx)
	must(t, err)
	expect(t, "who calls with the role", credentials.AccessKeyID, i.ID)
	forwarded := call(t, "PUT", i.IMDS+"/latest/api/token", map[string]string{"X-aws-ec2-metadata-token-ttl-seconds": "60", "X-Forwarded-For": "1.2.3.4"})
	expect(t, "through a proxy", forwarded.status, 403)
}

type response struct {
	status int
	body   string
}

func call(t *testing.T, method, url string, headers map[string]string) response {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	must(t, err)
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return response{res.StatusCode, string(body)}
}
