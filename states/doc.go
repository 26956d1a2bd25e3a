// Package states decides. It is pure: for the same observations in the same order it gives the same decisions,
// and it does no I/O, reads no clock, starts no goroutine, draws no random number and writes no log.
//
// A turn of the daemon is: observe the world ([Observation]), decide ([Machine.Step] gives a [Decision]), and carry out
// the commands of the decision ([Command]). Package agent runs the turn, package effects does the observing and the
// carrying out, and package sim does both with fakes; all three run the same Step.
//
// Decisions are level-triggered: every turn the function of the current state derives the commands from the facts of that
// turn. Nothing waits for the outcome of a command: a later observation shows it, and a command that failed is derived again.
//
// Start reading at transitions.go, the table of states and edges; then discovering.go, the first state of every daemon.
package states
