// Package etcdfake is the etcd that the simulator runs: servers, clusters, data directories and the network between them, in
// memory and in virtual time. It is pure: no goroutine, no clock of its own, no randomness, no map order; the same calls at
// the same times give the same answers.
//
// A [World] holds [Node]s, one per instance, and [Cluster]s, one per cluster ID. A node gives the four views that the daemon
// works through: [Node.Etcd], [Node.Peers], [Node.Process] and [Node.Disk].
//
// Raft itself is not simulated message by message. A cluster has one committed log, of which only the length is kept; a data
// directory holds a prefix of it. Elections, quorum, catching up and membership follow from who is up, who can reach whom and
// how long each prefix is. That is enough to show split brain, lost writes, stale lists and every refusal of etcd's membership
// rules. Package etcdconformance runs the same scripts against this package and against real servers.
//
// Servers are of any minor from 2.3 to 3.7, each node with patches of its own ([Node.Release]): what they refuse, what they die
// of, how the cluster version follows them and which rules of membership they know. Of the v2 API only the traces are there that
// later minors stumble over, since the daemon has no port for it.
//
// What goes wrong by itself is a method of [World] or [Cluster]; what spoils a single call is a [Fault].
//
// The fake may be harsher than etcd (fail where etcd might succeed) but never kinder.
package etcdfake
