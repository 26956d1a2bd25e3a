package states

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (d *dialogue) disk(rest string) error {
	words, why, _ := strings.Cut(rest, ":")
	disk := Disk{Error: strings.TrimSpace(why)}
	for i, w := range strings.Fields(words) {
		switch {
		case i == 0:
			states := map[string]DiskState{"unknown": DiskUnknown, "empty": DiskEmpty, "member": DiskMember, "broken": DiskBroken}
			disk.State = states[w]
			if disk.State == DiskUnknown && w != "unknown" {
				return fmt.Errorf("disk %q", w)
			}
		case w == "joined":
			disk.Joined = true
		case w == "aside":
			disk.SetAside = true
		case strings.HasPrefix(w, "snapshot="):
			if _, err := fmt.Sscanf(w, "snapshot=%d", &disk.Snapshot); err != nil {
				return err
			}
		case strings.HasPrefix(w, "i-"):
			disk.Name, disk.Address, _ = who(w)
		default:
			disk.Minor = minorOf(w)
		}
	}
	d.o.Disk = disk
	return nil
}

var exitReasons = map[string]ExitReason{
	"crash": ExitCrash, "stopped": ExitStopped, "removed": ExitRemoved, "corrupt": ExitCorrupt, "stale": ExitStale,
	"unstarted": ExitUnstarted, "refused": ExitRefused, "newer": ExitNewer, "bootstrapped": ExitBootstrapped,
}

func (d *dialogue) process(rest string) error {
	head, detail, _ := strings.Cut(rest, ":")
	words := strings.Fields(head)
	p := Process{Running: No, Detail: strings.TrimSpace(detail)}
	switch words[0] {
	case "unknown":
		p.Running = Unknown
	case "stopped":
	case "running", "stopping":
		p.Running, p.Stopping, p.Minor, p.Started, p.PID = Yes, words[0] == "stopping", minorOf(words[1]), d.o.Now, 7
	case "ended": // ended crash 3 times 5s ago: LAST WORDS
		ago, err := time.ParseDuration(words[4])
		if err != nil || exitReasons[words[1]] == ExitNone {
			return fmt.Errorf("process %q", rest)
		}
		p.Reason, p.Started, p.Exited, p.Minor = exitReasons[words[1]], d.o.Now.Add(-ago), d.o.Now.Add(-ago), d.o.Disk.Minor
		p.Exits, err = strconv.Atoi(words[2])
		if err != nil {
			return err
		}
	default:
		return fmt.Errorf("process %q", words[0])
	}
	if p.Running != Yes {
		d.o.Cluster.Local = Local{} // as effects do: what does not run does not answer
	}
	d.o.Process = p
	return nil
}

const testZone = "elephant.example.org."

func (d *dialogue) zone(rest string) error {
	head, list := elements(rest)
	d.o.DNS = DNS{Configured: head[0] != "none"}
	if head[0] == "unread" || head[0] == "none" {
		return nil
	}
	d.o.DNS.Known, d.o.DNS.At, d.o.DNS.Zone = Yes, d.o.Now, testZone
	var a, clients, servers []string
	for _, words := range list {
		_, address, _ := who(words[0])
		a = append(a, address)
		clients = append(clients, "1 1 2379 "+dnsNameOf(address)+".")
		servers = append(servers, "1 1 2380 "+dnsNameOf(address)+".")
	}
	if len(list) > 0 {
		d.setRecord("releaseetcd", "A", 60, a)
		d.setRecord("_etcd._tcp.releaseetcd", "SRV", 60, clients)
		d.setRecord("_etcd-client._tcp.releaseetcd", "SRV", 60, clients)
		d.setRecord("_etcd-server._tcp.releaseetcd", "SRV", 60, servers)
	}
	return nil
}

func (d *dialogue) setRecord(name, kind string, ttl int64, values []string) {
	name += "." + testZone
	records := slices.DeleteFunc(slices.Clone(d.o.DNS.Records), func(r Record) bool { return r.Name == name && r.Type == kind })
	if len(values) > 0 {
		values = slices.Sorted(slices.Values(values))
		records = append(records, Record{Name: name, Type: kind, TTL: ttl, Values: values})
	}
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.Name+" "+a.Type, b.Name+" "+b.Type) })
	d.o.DNS.Records, d.o.DNS.At = records, d.o.Now
}

func (d *dialogue) record(rest string) error {
	head, tail, _ := strings.Cut(rest, ":")
	words := strings.Fields(head)
	ttl := int64(0)
	if len(words) > 2 {
		ttl, _ = strconv.ParseInt(words[2], 10, 64)
	}
	var values []string
	for v := range strings.SplitSeq(tail, ",") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	d.setRecord(words[0], words[1], ttl, values)
	return nil
}

func (d *dialogue) endingSeen(rest string) error {
	what, reason, _ := strings.Cut(rest, ":")
	e := &d.o.Ending
	if reason != "" {
		e.Reason = strings.TrimSpace(reason)
	}
	switch what {
	case "announced":
		e.Announced, e.Asked = Yes, d.o.Now
	case "shutdown":
		e.Shutdown, e.Requested = Yes, d.o.Now
	case "terminating":
		e.Terminating, e.Announced, e.Asked = Yes, Yes, d.o.Now
	case "warned":
		e.Reason, e.Warned = "", strings.TrimSpace(reason)
	case "yielded":
		e.Yielded = e.Warned
	case "asked":
		e.Announced, e.Asked = No, d.o.Now
	default:
		return fmt.Errorf("ending %q", what)
	}
	return nil
}
