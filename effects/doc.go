// Package effects is where decisions meet the world: it observes what package states decides from, and carries out the
// commands that come of it. Each outside thing stands behind a narrow interface (ports.go) with a real adapter here or in a
// sub-package, and a fake in package sim.
//
// Nothing here decides. Every call has a deadline, runs off the deciding goroutine, and delivers its answer to it; an answer
// that fails leaves the fact as it was, with its age, and never turns it into its opposite.
package effects
