// Package explore searches every interleaving of the daemon's real decisions on a small abstract world: a handful of
// instances, one cluster, one claim, the locks. Where the simulator samples long runs with real effects, the search visits all
// short ones: within its budgets of faults nothing is left to luck.
//
// A state of the world is one fixed-size value without pointers. An instance's turn builds an observation from it and calls
// [states.Machine.Step]; its commands are put in flight, and take effect one by one, at any later time, in any order between
// lanes and instances. Time is abstract: whatever may have expired, may have expired now.
package explore
