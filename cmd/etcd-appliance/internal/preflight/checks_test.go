package preflight

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden file; read its diff before it is committed")

func version(text string) states.Version {
	v, err := states.ParseVersion(text)
	if err != nil {
		panic(err)
	}
	return v
}

// inOrder is a cluster on 3.5 of which nothing keeps from 3.7.
func inOrder() *Seen {
	s := &Seen{
		To: minorOf("3.7"), Auth: states.No, Group: "releaseetcd", Desired: 3, EtcdDir: "/opt/etcd", Args: []string{"--quota-backend-bytes=1"},
		Servers: []states.MinorVersion{minorOf("3.5"), minorOf("3.6"), minorOf("3.7")},
		Patches: []states.Version{version("3.5.35"), version("3.6.16"), version("3.7.3")}, V2Dir: "/var/lib/etcd-appliance/etcd", V2Data: states.No,
	}
	for i, name := range []string{"i-a", "i-b", "i-c"} {
		address := fmt.Sprintf("10.0.0.%d", i+1)
		s.Members = append(s.Members, Member{
			Member:  states.Member{ID: uint64(0xa1 + i), Name: name, Address: address, ClientURL: "http://" + address + ":2379", Version: version("3.5.35")},
			Leader:  0xa2,
			Cluster: minorOf("3.5"),
		})
	}
	return s
}

// all does the same to every member.
func all(s *Seen, do func(*Member)) {
	for i := range s.Members {
		do(&s.Members[i])
	}
}

// stories are clusters that are not in order, each by one thing.
var stories = []struct {
	name string
	edit func(*Seen)
}{
	{"in order", func(*Seen) {}},
	{"no quorum", func(s *Seen) { s.Reached = errors.New("etcdserver: request timed out") }},
	{"no user", func(s *Seen) { s.Reached = errors.New("etcdserver: user name is empty") }},
	{"a member does not answer", func(s *Seen) { s.Members[1].Err = errors.New("connection refused") }},
	{"a member knows no leader", func(s *Seen) { s.Members[2].Leader = 0 }},
	{"two leaders", func(s *Seen) { s.Members[2].Leader = 0xa3 }},
	{"a learner", func(s *Seen) { s.Members[2].Learner = true }},
	{"a member that never started", func(s *Seen) { s.Members[2].ClientURL, s.Members[2].Name = "", "" }},
	{"an alarm", func(s *Seen) { s.Members[0].Alarm = "memberID:1 alarm:NOSPACE" }},
	{"two members", func(s *Seen) { s.Members, s.Desired = s.Members[:2], 2 }},
	{"four members", func(s *Seen) { s.Members, s.Desired = append(s.Members, s.Members[2]), 4 }},
	{"smaller than its group", func(s *Seen) { s.Desired = 5 }},
	{"no AWS", func(s *Seen) { s.GroupErr = errors.New("no AWS region") }},
	{"there already", func(s *Seen) { s.To = minorOf("3.5") }},
	{"back", func(s *Seen) { s.To = minorOf("3.4") }},
	{"nowhere", func(s *Seen) { s.To = minorOf("3.9") }},
	{"nobody tells what it runs", func(s *Seen) { all(s, func(m *Member) { m.Version = states.Version{} }) }},
	{"on its way", func(s *Seen) { s.Members[0].Version = version("3.6.16") }},
	{"not settled", func(s *Seen) { all(s, func(m *Member) { m.Cluster = minorOf("3.0") }) }},
	{"version not told", func(s *Seen) { s.Members[0].Cluster = states.MinorVersion{} }},
	{"data of another version", func(s *Seen) {
		all(s, func(m *Member) { m.Version, m.Cluster, m.Storage = version("3.6.16"), minorOf("3.6"), minorOf("3.6") })
		s.Members[1].Storage = minorOf("3.5")
	}},
	{"a downgrade", func(s *Seen) { s.Members[1].Downgrade = minorOf("3.4") }},
	{"an old patch runs", func(s *Seen) { s.Members[1].Version = version("3.5.31") }},
	{"the least patch runs", func(s *Seen) { s.Members[1].Version = version("3.5.32") }},
	{"an old patch is installed", func(s *Seen) { s.Patches[1] = version("3.6.10") }},
	{"a server is missing", func(s *Seen) { s.Servers = s.Servers[1:2] }},
	{"a server that does not tell", func(s *Seen) { s.Patches = s.Patches[:2] }},
	{"a server unfit for use", func(s *Seen) {
		s.To, s.Servers, s.Patches = minorOf("3.5"), s.Servers[:1], []states.Version{version("3.5.2")}
		all(s, func(m *Member) { m.Version, m.Cluster = version("3.4.45"), minorOf("3.4") })
	}},
	{"no servers to see", func(s *Seen) { s.ServerErr = errors.New("open /opt/etcd: no such file or directory") }},
	{"an old flag", func(s *Seen) { s.Args = []string{"-experimental-corrupt-check-time=1h"} }},
	{"another old flag", func(s *Seen) { s.Args = []string{"--enable-v2"} }},
	{"no configuration", func(s *Seen) { s.ConfigErr = errors.New("open etcd.yaml: no such file or directory") }},
	{"authentication", func(s *Seen) { s.Auth, s.LockErr = states.Yes, errors.New("etcdserver: user name is empty") }},
	{"authentication not told", func(s *Seen) { s.Auth, s.AuthErr = states.Unknown, errors.New("timed out") }},
	{"v2 keys", func(s *Seen) { s.Members[1].V2Keys = states.Yes }},
	{"v2 keys in the snapshot", func(s *Seen) { s.V2Data = states.Yes }},
	{"no data here", func(s *Seen) { s.V2Data, s.V2Err = states.Unknown, errNoSnapshot }},
	{"no data here, and a v2 API that shows none", func(s *Seen) {
		s.V2Data = states.Unknown
		all(s, func(m *Member) { m.V2Keys = states.No })
	}},
	{"no v2 store any more", func(s *Seen) {
		all(s, func(m *Member) { m.Version, m.Cluster, m.Storage = version("3.6.16"), minorOf("3.6"), minorOf("3.6") })
		s.V2Data = states.Yes
	}},
	{"before 3.2", func(s *Seen) {
		s.To, s.Servers = minorOf("3.2"), []states.MinorVersion{minorOf("3.2")}
		all(s, func(m *Member) { m.Version, m.Cluster = version("3.1.20"), minorOf("3.1") })
	}},
	{"locked", func(s *Seen) { s.Lock = states.UpgradeLock{Owner: "i-b", From: minorOf("3.5"), To: minorOf("3.6")} }},
	{"halted", func(s *Seen) {
		s.Halted = states.UpgradeLock{Owner: "i-b", From: minorOf("3.5"), To: minorOf("3.6"), Why: "panic"}
	}},
}

// TestGoldenChecks tells of each story the lines in which it differs from a cluster in order.
func TestGoldenChecks(t *testing.T) {
	var b strings.Builder
	usual := map[string]bool{}
	for _, story := range stories {
		s := inOrder()
		story.edit(s)
		fmt.Fprintf(&b, "# %s\n", story.name)
		for _, c := range Checks(s) {
			if line := c.String(); !usual[line] {
				fmt.Fprintln(&b, line)
				usual[line] = story.name == "in order"
			}
			if (c.Status == Pass) != (c.Mend == "") {
				t.Errorf("%s: what is in order is not mended, and what is not says how: %s", story.name, c)
			}
		}
	}
	const file = "testdata/checks.txt"
	if *rewrite {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s differs; if it is meant to, run with -rewrite\n%s", file, b.String())
	}
}
