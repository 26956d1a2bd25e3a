package states

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dialogue is one daemon and what it knows.
type dialogue struct {
	config  Config
	machine *Machine
	o       Observation
}

func newDialogue() *dialogue {
	d := &dialogue{config: testConfig}
	d.o.Now = epoch
	d.machine = inState(d.config, Discovering, time.Time{})
	return d
}

// verbs state facts. Instances are named by a letter, from which address and member ID follow: i-b is at 10.0.0.2 and, where
// it is a member, member b2. Other than that is written i-b@10.0.0.9 and i-b#c7. Lists are separated by commas, and each
// element may be followed by words that say more of it.
var verbs = map[string]func(*dialogue, string) error{
	"daemon":     (*dialogue).daemon,     // daemon i-a of releaseetcd wants 3.7 has 3.6 3.7
	"self":       (*dialogue).self,       // self unknown
	"state":      (*dialogue).state,      // state Joining: a machine that stands there, as of now
	"restart":    (*dialogue).restart,    // restart: the daemon does; it knows its disk and its process, and nothing else yet
	"total-loss": (*dialogue).totalLoss,  // total-loss new | total-loss halt
	"tls":        (*dialogue).tls,        // tls of clients | tls of clients and peers | tls of nobody
	"tick":       (*dialogue).tick,       // tick 5s
	"fresh":      (*dialogue).fresh,      // fresh: every source has answered again, and the same
	"group":      (*dialogue).group,      // group unknown | group desired 3: i-a running, i-b pending, i-c no-address, i-d gone, i-e outside running
	"replaces":   (*dialogue).replaces,   // replaces after 15m (the instance of an unhealthy member)
	"hook":       (*dialogue).hook,       // hook none | launching 60s | terminating 60s (it holds from now on) | beat (AWS heard of the instance just now)
	"absent":     (*dialogue).absent,     // absent i-c 3 reads 60s (the last read did not show it, nor did those before)
	"peer":       (*dialogue).peer,       // peer i-b refuses | peer i-b silent | peer i-b answers 7 at 3.7: i-a, i-b unstarted
	"polled":     (*dialogue).polled,     // polled: the peers were asked just now, and said what they said before
	"claim":      (*dialogue).claim,      // claim nowhere | unread | absent | foreign WHY | pending TOKEN at 3.7: i-a, i-b | formed 7 TOKEN: i-a, i-b
	"disk":       (*dialogue).disk,       // disk unknown WHY | disk empty aside | disk member 3.7 joined | disk broken joined: WHY
	"process":    (*dialogue).process,    // process unknown | stopped | stopping 3.7 | running 3.7 | ended crash 3 times 5s ago: LAST WORDS
	"members":    (*dialogue).members,    // members unknown | no-quorum | 7 at 3.7 leader i-a: i-a 3.7.3, i-b unhealthy 20s, i-c learner applied 9, i-d unstarted unasked
	"local":      (*dialogue).local,      // local unknown | silent | restored | i-a leader i-b storage 3.7 downgrade 3.6 learner | i-a leaderless
	"lock":       (*dialogue).lock,       // lock unknown | free | i-b 3.6 to 3.7 (the upgrade lock) | i-b 3.6 to 3.6.17
	"halted":     (*dialogue).halted,     // halted nobody | i-b 3.6 to 3.7: WHY
	"wants":      (*dialogue).wants,      // wants 3.7 | wants 3.7.3 within 5m: the configuration has changed just now, and within that time everywhere
	"installed":  (*dialogue).installed,  // installed 3.6 3.7.3: the servers in --etcd-dir have changed just now; of 3.6 the patch is not known
	"join":       (*dialogue).join,       // join nobody | join held by i-b | join held | join added i-d
	"zone":       (*dialogue).zone,       // zone none (is configured) | zone unread | zone nothing | zone published: i-a, i-b
	"record":     (*dialogue).record,     // record releaseetcd A 60: 10.0.0.1, 10.0.0.2 (the set is there) | record releaseetcd A (it is not)
	"ending":     (*dialogue).endingSeen, // ending announced | terminating: REASON | shutdown: REASON | asked (the metadata, which announces nothing) | warned: WHAT | yielded (the leadership, at that)
}

func (d *dialogue) daemon(rest string) error {
	words := strings.Fields(rest)
	if len(words) < 7 || words[1] != "of" || words[3] != "wants" || words[5] != "has" {
		return fmt.Errorf("want: daemon i-a of NAME wants 3.7 has 3.6 3.7")
	}
	d.o.Self = Self{ID: words[0], Address: addressOf(words[0])}
	d.o.Name, d.o.Wanted, d.o.Exact = words[2], minorOf(words[4]), exactly(words[4])
	if err := d.installed(strings.Join(words[6:], " ")); err != nil {
		return err
	}
	d.o.DNS = DNS{Configured: true}
	d.o.Claim.Store = ClaimInRoute53
	return nil
}

func (d *dialogue) wants(rest string) error {
	version, within, spread := strings.Cut(rest, " within ")
	d.o.Wanted, d.o.Exact, d.o.Since, d.o.Spread = minorOf(version), exactly(version), d.o.Now, 0
	if !spread {
		return nil
	}
	var err error
	d.o.Spread, err = time.ParseDuration(within)
	return err
}

// installed are the servers of these minors; one whose version is known is named in full.
func (d *dialogue) installed(rest string) error {
	d.o.Servers, d.o.Patches = nil, nil
	for w := range strings.FieldsSeq(rest) {
		d.o.Servers = append(d.o.Servers, minorOf(w))
		if v := exactly(w); v.Known() {
			d.o.Patches = append(d.o.Patches, v)
		}
	}
	d.o.Since = d.o.Now
	return nil
}

// exactly reads a version that has a patch; any other is unknown.
func exactly(text string) Version {
	v, err := ParseVersion(text)
	if err != nil || strings.Count(text, ".") < 2 {
		return Version{}
	}
	return v
}

func (d *dialogue) self(string) error {
	d.o.Self = Self{}
	return nil
}

func (d *dialogue) state(rest string) error {
	if !slices.Contains(States(), State(rest)) {
		return fmt.Errorf("no such state")
	}
	d.machine = inState(d.config, State(rest), d.o.Now)
	return nil
}

func (d *dialogue) restart(string) error {
	d.machine = inState(d.config, Discovering, time.Time{})
	old := d.o
	d.o = Observation{Now: old.Now, Wanted: old.Wanted, Exact: old.Exact, Servers: old.Servers, Patches: old.Patches, Disk: old.Disk, Process: old.Process}
	d.o.Claim.Store, d.o.DNS.Configured = old.Claim.Store, old.DNS.Configured
	return nil
}

func (d *dialogue) totalLoss(rest string) error {
	d.config.OnTotalLoss = TotalLoss(rest)
	d.machine.config = d.config
	return d.config.Validate()
}

func (d *dialogue) tls(rest string) error {
	d.config.ClientTLS, d.config.PeerTLS = strings.Contains(rest, "clients"), strings.Contains(rest, "peers")
	d.machine.config = d.config
	if !d.config.ClientTLS && !d.config.PeerTLS && rest != "of nobody" {
		return fmt.Errorf("tls %q", rest)
	}
	return nil
}

func (d *dialogue) tick(rest string) error {
	by, err := time.ParseDuration(rest)
	d.o.Now = d.o.Now.Add(by)
	return err
}

func (d *dialogue) fresh(string) error {
	o := &d.o
	o.Cluster.Upgrade.Known = Is(o.Cluster.Known == Yes)
	o.Group.At, o.Polled, o.Cluster.At, o.Cluster.Asked, o.DNS.At, o.Claim.At = o.Now, o.Now, o.Now, o.Now, o.Now, o.Now
	return nil
}

// who reads i-b, i-b@10.0.0.9, i-b#c7.
func who(word string) (id, address string, member uint64) {
	id, address, moved := strings.Cut(word, "@")
	id, number16, other := strings.Cut(id, "#")
	if !moved {
		address = addressOf(id)
	}
	member = uint64(0xa1 + 0x11*(number(id)-1))
	if other {
		member, _ = strconv.ParseUint(number16, 16, 64)
	}
	return id, address, member
}

// elements splits the part after the colon.
func elements(rest string) (head []string, list [][]string) {
	before, after, _ := strings.Cut(rest, ":")
	for item := range strings.SplitSeq(after, ",") {
		if words := strings.Fields(item); len(words) > 0 {
			list = append(list, words)
		}
	}
	return strings.Fields(before), list
}

func minorOf(s string) MinorVersion {
	v, err := ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v.MinorOf()
}
