// Package etcdconformance holds the fake of package etcdfake to what real etcd servers do.
//
// A case is a script of calls through the ports of package effects and the transcript that it must leave. The same scripts run
// against the fake, in virtual time, and against real servers on loopback, through the very adapters of the daemon. Where the
// fake answers otherwise it is harsher, and the case says why.
//
// Real servers are looked for in $ETCD_DIR/<minor>/etcd (by default .cache/etcd of this repository); without them only the
// fake is tested.
package etcdconformance
