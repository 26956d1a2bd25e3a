// Package etcdconformance holds the fake of package etcdfake to what real etcd servers do.
//
// A case is a script of calls through the ports of package effects and the transcript that it must leave. The same scripts run
// against the fake, in virtual time, and against real servers on loopback, through the very adapters of the daemon.
//
// Real servers are looked for in $ETCD_DIR/<minor>/etcd (by default .cache/etcd of this repository); without them only the
// fake is tested.
//
// Where real servers may do one thing or the other, the scripts wait until only one is left, and the fake does the worse:
//   - A leader that loses its quorum for a moment is no leader any more; etcd gives it an election timeout to get it back.
//   - A server that is killed does not know, until a leader tells, of members and versions decided in the last second; etcd
//     forgets up to 100 ms (what its database has not written yet).
//   - A change sent over a link that is cut has an unknown outcome; the real client often knows that it was not sent.
//   - A learner is in sync when its log is the leader's; etcd is content with nine tenths.
//   - A server whose disk has stalled does nothing more; etcd does its part until there is something to write.
//   - A server whose disk is full ends at once; etcd goes on until the log needs more room than it has set aside.
//
// What no loopback can show is in the unit tests of the fake alone: partitions, disks that fail, servers that lag,
// certificates, and servers between 3.0 and 3.5. Of 2.3 and the way to 3.0 there are scripts of their own, over the v2 API.
package etcdconformance
