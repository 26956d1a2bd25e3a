package etcdconformance

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// stage is where a script plays. Nodes are numbered from 1; each has an address, a data directory and a process.
type stage interface {
	minor() states.MinorVersion
	address(n int) string
	process(n int) effects.Process
	disk(n int) effects.Disk
	etcd() effects.Etcd // a client without memory, as of a daemon that has just started
	peers() effects.Peers

	kill(n int)            // SIGKILL
	hang(n int, hang bool) // SIGSTOP and SIGCONT
	stall(n int, on bool)  // nothing that is written to its disk comes to an end
	lose(n int)            // kill it and empty its disk
	operator(n int) operator
	pass(d time.Duration) // let time pass
	now() time.Time       // as it passes there
}

// operator is what people do to a cluster by hand, through the server of a node.
type operator interface {
	raise(kind string, member uint64) error
	disarm(kind string, member uint64) error
	protect(on bool) error                      // authentication
	downgrade(target states.MinorVersion) error // enables it
	write(n int) error                          // so many keys
}
