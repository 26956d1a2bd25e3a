package main

// Stand-ins for what is being written beside this file: delete each line, and at last the file, when the real one comes.

import (
	"context"
	"errors"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func newCloudCommand() *cobra.Command   { return stub("cloud") }
func newDemoCommand() *cobra.Command    { return stub("demo") }
func newDiagramCommand() *cobra.Command { return stub("diagram") }
func newVersionCommand() *cobra.Command { return stub("version") }
func newBenchCommand() *cobra.Command   { return stub("bench") }

func runDaemon(context.Context, Config, zerolog.Logger) error {
	return errors.New("run: not written yet")
}

func stub(name string) *cobra.Command {
	return &cobra.Command{Use: name, Short: "(not written yet)", RunE: func(*cobra.Command, []string) error {
		return errors.New(name + ": not written yet")
	}}
}
