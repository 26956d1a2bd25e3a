// Package sim is the deterministic simulator: the daemon's own states, agent and effects run over an AWS (awsfake) and an etcd
// (etcdfake) that live in memory and in virtual time. One seed makes everything: the plan of a run, its faults, its delays.
// The same seed gives the same run, event for event.
//
// A run has two phases. In the first everything may break, and the invariants of safety are checked after every event. Then
// no more faults are made, what was broken for a while is mended, and the run must converge to a whole, published cluster
// and stay there without a single change.
package sim
