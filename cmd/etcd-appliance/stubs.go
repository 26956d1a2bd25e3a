package main

// Stand-ins for what is being written beside this file: delete each line, and at last the file, when the real one comes.

import (
	"errors"

	"github.com/spf13/cobra"
)

func newBenchCommand() *cobra.Command { return stub("bench") }

func stub(name string) *cobra.Command {
	return &cobra.Command{Use: name, Short: "(not written yet)", RunE: func(*cobra.Command, []string) error {
		return errors.New(name + ": not written yet")
	}}
}
