package status

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// API is the version of what GET /status answers. Fields may be added to it; one that is taken away or means something else raises it.
const API = 1

// Status is what GET /status answers. A fact is "yes", "no" or "unknown". What is not known is left out. IDs of clusters and members
// are hexadecimal, as etcdctl prints them.
type Status struct {
	API      int          `json:"api"`
	Daemon   string       `json:"daemon"`   // version of the daemon
	At       time.Time    `json:"at"`       // when this was known: the end of the last turn
	Started  time.Time    `json:"started"`  // when the daemon took its first turn
	Cluster  string       `json:"cluster"`  // name, the first label of its DNS names
	Instance string       `json:"instance"` // ID of this instance
	Address  string       `json:"address"`
	Zone     string       `json:"zone,omitempty"` // availability zone
	State    states.State `json:"state"`
	Since    time.Time    `json:"since"` // when it came into the state
	Why      string       `json:"why"`   // the reason to be in it

	Ready    bool     `json:"ready"`              // as GET /readyz
	NotReady string   `json:"notReady,omitempty"` // why not
	Reports  []string `json:"reports"`            // what an operator should know
	Busy     []string `json:"busy"`               // commands that are under way

	Member  Own     `json:"member"`
	Etcd    Etcd    `json:"etcd"`
	Members Members `json:"members"`
	Upgrade Upgrade `json:"upgrade"`
	Group   Group   `json:"group"`
	DNS     DNS     `json:"dns"`

	Certificates []Certificate `json:"certificates"` // that this instance shows or trusts; none without TLS
	Decisions    []Told        `json:"decisions"`    // the last ones, the newest first
}

// Own is the member of this instance, as its own server and its data tell.
type Own struct {
	ID      string     `json:"id,omitempty"`
	Role    Role       `json:"role,omitempty"`
	Answers string     `json:"answers"` // whether its server answers
	Applied uint64     `json:"applied,omitempty"`
	Alarm   string     `json:"alarm,omitempty"`
	PID     int        `json:"pid,omitempty"`
	Exits   int        `json:"exits,omitempty"` // of its server, in a row
	Exited  *time.Time `json:"exited,omitempty"`
	Detail  string     `json:"detail,omitempty"` // exit status and last words
	Data    string     `json:"data"`             // empty, member, broken or unknown
}

// Etcd is what is run here, and what is to be.
type Etcd struct {
	Running   string   `json:"running,omitempty"`
	Wanted    string   `json:"wanted,omitempty"`  // a minor, or the very version
	Changing  bool     `json:"changing"`          // another server is wanted than runs
	Cluster   string   `json:"cluster,omitempty"` // version of the cluster, while it is asked for
	Installed []string `json:"installed"`
}

// Role is what a member is in its cluster.
type Role string

// The roles.
const (
	Leader    Role = "leader"
	Follower  Role = "follower"
	Voter     Role = "voter" // of a cluster whose leader is not known
	Learner   Role = "learner"
	Unstarted Role = "unstarted"
)

// Members is the cluster.
type Members struct {
	Known  string     `json:"known"` // whether a quorum answers
	At     *time.Time `json:"at,omitempty"`
	Lost   *time.Time `json:"lost,omitempty"`  // since when no quorum answers
	Asked  *time.Time `json:"asked,omitempty"` // when every member was asked how it is: by the leader
	ID     string     `json:"id,omitempty"`
	Leader string     `json:"leader,omitempty"` // instance
	List   []Member   `json:"list"`
}

// Member is one member of the cluster. Only a leader asks the others how they are.
type Member struct {
	ID        string     `json:"id"`
	Instance  string     `json:"instance,omitempty"`
	Address   string     `json:"address"`
	ClientURL string     `json:"clientURL,omitempty"`
	Zone      string     `json:"zone,omitempty"`
	Role      Role       `json:"role"`
	Health    string     `json:"health"`
	Unhealthy *time.Time `json:"unhealthy,omitempty"` // since when
	Ended     bool       `json:"ended,omitempty"`     // its instance has provably ended
	Version   string     `json:"version,omitempty"`
	Applied   uint64     `json:"applied,omitempty"` // raft index
	Lag       *uint64    `json:"lag,omitempty"`     // entries behind the member that has applied most
	Alarm     string     `json:"alarm,omitempty"`
}

// Upgrade is what the cluster keeps of its upgrades.
type Upgrade struct {
	Known  string  `json:"known"`
	Lock   *Record `json:"lock,omitempty"`
	Halted *Record `json:"halted,omitempty"`
}

// Record is one record of an upgrade.
type Record struct {
	Owner string     `json:"owner"` // instance
	From  string     `json:"from,omitempty"`
	To    string     `json:"to,omitempty"`
	Why   string     `json:"why,omitempty"`
	Since *time.Time `json:"since,omitempty"` // since when this daemon sees it so
}

// Group is the auto-scaling group.
type Group struct {
	Known     string     `json:"known"`
	At        *time.Time `json:"at,omitempty"`
	Desired   int        `json:"desired"`
	Silent    []string   `json:"silent,omitempty"` // regions that did not answer the last question; what they told before stands
	Instances []Instance `json:"instances"`
}

// Instance is one of the group, or of a member.
type Instance struct {
	ID      string `json:"id"`
	Address string `json:"address,omitempty"`
	Zone    string `json:"zone,omitempty"`
	State   string `json:"state"`   // of EC2: unknown, pending, running, stopped or gone
	InGroup bool   `json:"inGroup"` // and not on its way out of it
}

// DNS is the hosted zone. Only a leader compares it with what it should be.
type DNS struct {
	Configured bool       `json:"configured"`
	Known      string     `json:"known"`
	At         *time.Time `json:"at,omitempty"`
	Zone       string     `json:"zone,omitempty"`
	Name       string     `json:"name,omitempty"`  // where clients find the cluster
	Drift      string     `json:"drift"`           // whether it holds something else than it should
	Wrong      []string   `json:"wrong,omitempty"` // the record sets that do
	Addresses  []string   `json:"addresses,omitempty"`
}
