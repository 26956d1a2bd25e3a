package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// motoCluster is a group of instances, and what runs on them.
type motoCluster struct {
	t      *testing.T
	cloud  *motoCloud
	group  string
	args   []string // of the daemon, besides the usual
	dir    string
	booted map[string]*motoInstance
}

// motoInstance is an instance that moto believes in, with its daemon and its metadata service on loopback.
type motoInstance struct {
	id, address, dnsName string
	disk, log, imds      string
	metadata, daemon     *exec.Cmd
	ended                chan struct{} // closed when the daemon has ended
	killed               bool
}

// launched waits until the group has n instances in service, and gives them sorted by ID.
func (c *motoCluster) launched(n int) (list []*motoInstance) { return c.reached(n, "InService") }

// reached waits until the group has n instances in a state.
func (c *motoCluster) reached(n int, state autoscalingtypes.LifecycleState) (list []*motoInstance) {
	c.until(10*time.Second, fmt.Sprintf("%d instances %s", n, state), func() error {
		groups, err := c.cloud.autoscaling.DescribeAutoScalingGroups(c.t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{c.group}})
		if err != nil {
			return err
		}
		var ids []string
		for _, in := range groups.AutoScalingGroups[0].Instances {
			if in.LifecycleState == state {
				ids = append(ids, *in.InstanceId)
			}
		}
		if len(ids) != n {
			return fmt.Errorf("%d instances %s", len(ids), state)
		}
		described, err := c.cloud.ec2.DescribeInstances(c.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids})
		if err != nil {
			return err
		}
		list = nil
		for _, r := range described.Reservations {
			for _, in := range r.Instances {
				instance := c.booted[*in.InstanceId]
				if instance == nil {
					instance = &motoInstance{id: *in.InstanceId, address: *in.PrivateIpAddress, dnsName: *in.PrivateDnsName}
				}
				list = append(list, instance)
			}
		}
		return nil
	})
	slices.SortFunc(list, func(a, b *motoInstance) int { return strings.Compare(a.id, b.id) })
	return list
}

// boot starts the daemons of those instances that have none, all at once, so that they race for the claim.
func (c *motoCluster) boot(instances []*motoInstance) {
	var fresh []*motoInstance
	for _, in := range instances {
		if c.booted[in.id] == nil {
			c.booted[in.id] = in
			fresh = append(fresh, in)
			in.disk, in.log, in.ended = filepath.Join(c.dir, in.id), filepath.Join(c.dir, in.id+".log"), make(chan struct{})
			in.imds = c.serveMetadata(in)
		}
	}
	for _, in := range fresh {
		c.startDaemon(in)
	}
}

func (c *motoCluster) startDaemon(in *motoInstance) {
	log, err := os.Create(in.log)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	in.daemon = exec.Command(c.cloud.daemon, append([]string{
		"run", "--data-dir=" + in.disk, "--etcd-dir=" + c.cloud.etcdDir, "--etcd-version=" + motoEtcd, "--status-address=" + net.JoinHostPort(in.address, "2381"),
	}, c.args...)...)
	in.daemon.Env = []string{ // all of it: nothing of the test's own reaches the daemon
		"AWS_ENDPOINT_URL=" + c.cloud.url, "AWS_ENDPOINT_URL_AUTO_SCALING=" + c.cloud.asg.url, "AWS_ENDPOINT_URL_ROUTE_53=" + c.cloud.gate, "AWS_ENDPOINT_URL_S3=" + c.cloud.gate,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + in.imds, "AWS_REGION=" + c.cloud.region,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
	in.daemon.Stdout, in.daemon.Stderr = log, log
	// Should the test be killed, the daemon is asked to stop, and stops its etcd.
	in.daemon.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := in.daemon.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(in.kill)
	go func() { _ = in.daemon.Wait(); close(in.ended) }()
}

// serveMetadata starts a metadata service that says it is this instance's.
func (c *motoCluster) serveMetadata(in *motoInstance) (url string) {
	zone := c.cloud.region + "a"
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"values": map[string]string{
			"instance-id": in.id, "local-ipv4": in.address, "placement-availability-zone": zone, "placement-region": c.cloud.region,
		}},
		"dynamic": map[string]any{"values": map[string]any{"instance-identity-document": map[string]string{
			"instanceId": in.id, "privateIp": in.address, "availabilityZone": zone, "region": c.cloud.region,
		}}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	file := filepath.Join(c.dir, in.id+".json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		c.t.Fatal(err)
	}
	port := motoFreePort(c.t)
	c.startMetadata(in, file, port, never)
	c.t.Cleanup(func() { _ = in.metadata.Process.Kill(); _ = in.metadata.Wait() })
	return "http://127.0.0.1:" + port
}

// never is a delay, in seconds. Without it the mock announces at once.
const never = "100000"

// startMetadata announces the instance's end after a delay.
func (c *motoCluster) startMetadata(in *motoInstance, file, port, delay string) {
	in.metadata = exec.Command(c.cloud.mock, "-n", "127.0.0.1", "-p", port, "-I", "-c", file,
		"-d", never, "--rebalance-delay-sec", never, "--asg-termination-delay-sec", delay)
	in.metadata.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := in.metadata.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.until(10*time.Second, "metadata of "+in.id, func() error {
		return motoAnswers("http://127.0.0.1:"+port+"/latest/meta-data/instance-id", http.StatusUnauthorized)
	})
}

// announceEnd lets the metadata service say that the group is ending the instance.
func (c *motoCluster) announceEnd(in *motoInstance) {
	_ = in.metadata.Process.Kill()
	_ = in.metadata.Wait()
	c.startMetadata(in, filepath.Join(c.dir, in.id+".json"), in.imds[strings.LastIndex(in.imds, ":")+1:], "0")
}

// kill ends the daemon and then its etcd, which is in a group of its own, as the end of the machine would. The daemon goes
// first, or it would start etcd again.
func (in *motoInstance) kill() {
	in.killed = true
	_ = in.metadata.Process.Kill()
	_ = in.daemon.Process.Kill()
	<-in.ended
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		pids := processesOn(in.disk)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// processesOn lists the processes whose --data-dir is a directory or in it.
func processesOn(dir string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		for _, arg := range bytes.Split(line, []byte{0}) {
			if on, ok := strings.CutPrefix(string(arg), "--data-dir="); ok && (on == dir || strings.HasPrefix(on, dir+"/")) {
				if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
					pids = append(pids, pid)
				}
			}
		}
	}
	return pids
}

// daemonsWell checks that no daemon has ended but those that were killed, and that all that they wrote is one JSON object a line.
func (c *motoCluster) daemonsWell() {
	for id, in := range c.booted {
		select {
		case <-in.ended:
			if !in.killed {
				c.t.Errorf("the daemon of %s has ended by itself: %s\n%s", id, in.daemon.ProcessState, c.tail(in))
			}
		default:
		}
		log, err := os.ReadFile(in.log)
		if err != nil {
			c.t.Fatal(err)
		}
		for line := range strings.Lines(string(log)) {
			var entry struct{ Level, Message string }
			err := json.Unmarshal([]byte(line), &entry)
			if strings.HasSuffix(line, "\n") && (err != nil || entry.Level == "" || entry.Message == "") {
				c.t.Errorf("%s logs a line that no log collector can read: %s", id, line)
			}
		}
	}
}

// tail is the end of what a daemon itself has written, without what it passes on of etcd.
func (c *motoCluster) tail(in *motoInstance) string {
	log, _ := os.ReadFile(in.log)
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(log)), "\n"), func(line string) bool {
		return strings.Contains(line, `"from":"etcd"`) && !strings.Contains(line, `"level":"error"`)
	})
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// until waits for the cluster, and shows the end of every daemon's log when it waits in vain.
func (c *motoCluster) until(limit time.Duration, what string, check func() error) {
	c.t.Helper()
	passed := false
	defer func() {
		if passed {
			return
		}
		for id, in := range c.booted {
			c.t.Logf("%s at %s:\n%s", id, in.address, c.tail(in))
		}
	}()
	motoUntil(c.t, limit, what, check)
	passed = true
}

// client makes a client of one member alone.
func (c *motoCluster) client(in *motoInstance) (*clientv3.Client, context.Context, func(), error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + in.address + ":2379"}, Logger: zap.NewNop()})
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
	return client, ctx, func() { cancel(); _ = client.Close() }, nil
}

// healthy checks that the members are these instances and no others, all of them started voters, and that each of them says
// so, of the same cluster with the same leader.
func (c *motoCluster) healthy(instances []*motoInstance) (cluster uint64, err error) {
	var want []string
	for _, in := range instances {
		want = append(want, fmt.Sprintf("%s [http://%s:2380] [http://%[2]s:2379] learner false", in.id, in.address))
	}
	var leader uint64
	for _, in := range instances {
		status, list, err := c.ask(in)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", in.id, err)
		}
		var got []string
		for _, m := range list.Members {
			got = append(got, fmt.Sprintf("%s %s %s learner %t", m.Name, m.PeerURLs, m.ClientURLs, m.IsLearner))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return 0, fmt.Errorf("%s lists the members\n %s\nand not\n %s", in.id, strings.Join(got, "\n "), strings.Join(want, "\n "))
		}
		id := status.Header.ClusterId
		if cluster == 0 {
			cluster, leader = id, status.Leader
		}
		switch {
		case id == 0 || id != cluster:
			return 0, fmt.Errorf("%s is in cluster %x, and %s in %x", instances[0].id, cluster, in.id, id)
		case status.Leader == 0 || status.Leader != leader:
			return 0, fmt.Errorf("%s has leader %x, and %s has %x", instances[0].id, leader, in.id, status.Leader)
		case status.IsLearner || len(status.Errors) > 0:
			return 0, fmt.Errorf("%s: learner %t, errors %q", in.id, status.IsLearner, status.Errors)
		case !strings.HasPrefix(status.Version, motoEtcd+"."):
			return 0, fmt.Errorf("%s runs etcd %s", in.id, status.Version)
		}
	}
	return cluster, nil
}

func (c *motoCluster) ask(in *motoInstance) (*clientv3.StatusResponse, *clientv3.MemberListResponse, error) {
	client, ctx, end, err := c.client(in)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	status, err := client.Status(ctx, client.Endpoints()[0])
	if err != nil {
		return nil, nil, err
	}
	list, err := client.MemberList(ctx)
	return status, list, err
}

func (c *motoCluster) leader(instances []*motoInstance) *motoInstance {
	for _, in := range instances {
		if status, _, err := c.ask(in); err == nil && status.Leader == status.Header.MemberId {
			return in
		}
	}
	c.t.Fatal("nobody leads")
	return nil
}

func (c *motoCluster) put(in *motoInstance, key, value string) {
	client, ctx, end, err := c.client(in)
	if err != nil {
		c.t.Fatal(err)
	}
	defer end()
	if _, err := client.Put(ctx, key, value); err != nil {
		c.t.Fatal(err)
	}
}

func (c *motoCluster) get(in *motoInstance, key string) string {
	client, ctx, end, err := c.client(in)
	if err != nil {
		c.t.Fatal(err)
	}
	defer end()
	out, err := client.Get(ctx, key)
	if err != nil || len(out.Kvs) != 1 {
		c.t.Fatalf("get %s from %s: %v", key, in.id, err)
	}
	return string(out.Kvs[0].Value)
}

var claimToken = regexp.MustCompile(` token=(\S+) `)

// formed checks the text of a claim: of this cluster, formed, and naming these instances.
func (c *motoCluster) formed(claim string, cluster uint64, instances []*motoInstance) (token string, err error) {
	found := claimToken.FindStringSubmatch(claim)
	if found == nil {
		return "", errors.New("no claim: " + strconv.Quote(claim))
	}
	var members []string
	for _, in := range instances {
		members = append(members, in.id+"="+in.address)
	}
	want := fmt.Sprintf("v=1 state=formed token=%s cluster=%x members=%s", found[1], cluster, strings.Join(members, ","))
	if got := strings.Trim(claim, `"`); got != want {
		return "", fmt.Errorf("the claim is\n %s\nand not\n %s", got, want)
	}
	return found[1], nil
}

// published checks that the zone holds the claim and these instances' records, and nothing else.
func (c *motoCluster) published(records map[string]string, instances []*motoInstance) error {
	values := func(format func(*motoInstance) string) string {
		var list []string
		for _, in := range instances {
			list = append(list, format(in))
		}
		slices.Sort(list)
		return strings.Join(list, "\n")
	}
	clients := values(func(in *motoInstance) string { return "1 1 2379 " + in.dnsName + "." })
	name := c.group + "." + motoZone + "."
	want := map[string]string{
		"A " + name:                     values(func(in *motoInstance) string { return in.address }),
		"SRV _etcd._tcp." + name:        clients,
		"SRV _etcd-client._tcp." + name: clients,
		"SRV _etcd-server._tcp." + name: values(func(in *motoInstance) string { return "1 1 2380 " + in.dnsName + "." }),
		"TXT _etcd-bootstrap." + name:   records["TXT _etcd-bootstrap."+name],
	}
	for key := range records {
		if want[key] == "" {
			return fmt.Errorf("the zone holds %s", key)
		}
	}
	for key, value := range want {
		if records[key] != value {
			return fmt.Errorf("%s is\n%s\nand not\n%s", key, records[key], value)
		}
	}
	return nil
}
