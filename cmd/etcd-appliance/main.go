// Command etcd-appliance runs etcd on the instances of an EC2 auto-scaling group, as one cluster that forms, repairs,
// upgrades and publishes itself. The daemon is the command run; the others show, simulate and measure it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// version is what this binary calls itself; the build stamps it with -ldflags '-X main.version=…'.
var version = "dev"

// Exit codes. A service manager may tell by them whether another start can help.
const (
	exitOK      = 0
	exitFailure = 1 // it was tried and failed
	exitUsage   = 2 // what was asked for makes no sense, and will not the next time
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Commands are listed in the order in which a newcomer needs them.
func init() { cobra.EnableCommandSorting = false }

// run is the whole program but for its end, so that tests can run it too.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	reached := false // a command's own code; what fails before is a mistake in the command line
	root := newRootCommand(func() { reached = true })
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(longFlags(args))
	addCompletion(root)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var usage usageError
	wrongUsage := !reached || errors.As(err, &usage)
	hint := hintOf(err)
	if hint == "" && wrongUsage {
		hint = cmd.CommandPath() + " --help shows how it is used"
	}
	printError(stderr, err, hint)
	if wrongUsage {
		return exitUsage
	}
	return exitFailure
}

// longFlags lets a long flag be given with one hyphen too, as Go's own tools have it: no command here has a flag of one letter
// but -h, so that nothing else can be meant.
func longFlags(args []string) []string {
	long := slices.Clone(args)
	for i, arg := range long {
		if len(arg) > 2 && arg[0] == '-' && arg[1] >= 'a' && arg[1] <= 'z' && arg[2] != '=' {
			long[i] = "-" + arg
		}
	}
	return long
}

func newRootCommand(reached func()) *cobra.Command {
	root := &cobra.Command{
		Use:           "etcd-appliance",
		Version:       version,
		SilenceErrors: true, // run prints them, once
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printCommands(cmd.ErrOrStderr(), cmd)
			return usageError{errors.New("no command given")}
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			// Cobra would check these after this hook.
			if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()); err != nil {
				return err
			}
			reached()
			return nil
		},
	}
	root.SetFlagErrorFunc(flagError)
	usual := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd == root {
			printCommands(cmd.OutOrStdout(), cmd)
			return
		}
		usual(cmd, args)
	})
	root.AddCommand(
		newRunCommand(),
		newDemoCommand(),
		newStatusCommand(),
		newPreflightCommand(),
		newRollCommand(),
		newUnlockCommand(),
		newTemplateCommand(),
		newSimCommand(),
		newDiagramCommand(),
		newBenchCommand(),
		newCloudCommand(),
		newVersionCommand(),
		newManCommand(),
	)
	return root
}

// addCompletion adds the command that cobra would add by itself, to describe it as the others are. It is for the end, since it
// remembers where its root writes to.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short = "print completions for bash, zsh, fish or powershell"
		}
	}
}

func printCommands(w io.Writer, root *cobra.Command) {
	fmt.Fprint(w, `etcd-appliance runs etcd on the instances of an EC2 auto-scaling group, as one
cluster that forms, repairs and publishes itself.

Usage: etcd-appliance COMMAND [flags]

`)
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			fmt.Fprintf(w, "  %-10s %s\n", c.Name(), c.Short)
		}
	}
	fmt.Fprint(w, `
etcd-appliance COMMAND --help tells more about each.

Example, which needs no AWS:
  $ etcd-appliance demo
`)
}

func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	hint := "etcd-appliance --help lists the commands"
	if near := nearest(args[0], names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return errorWithHint(fmt.Errorf("unknown command %q", args[0]), hint)
}

// flagError says what is wrong with a flag the way LoadConfig says it of the other sources.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &invalid):
		f, cause := invalid.GetFlag(), invalid.Unwrap()
		if hintOf(cause) == "" {
			cause = fmt.Errorf("is not of type %s", f.Value.Type())
		}
		return given{where: "flag --" + f.Name, drop: "leave the flag out"}.wrong(f, invalid.GetValue(), cause)
	case errors.As(err, &unknown):
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
			return errorWithHint(err, "did you mean --"+near+"?")
		}
	}
	return err
}

// usageError is an error that trying again will not mend: the command line, the environment or a file is to be corrected.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// hinted is an error that knows what its reader can do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func errorWithHint(err error, hint string) error { return hinted{err, hint} }

// hintOf is the outermost hint of an error, or nothing.
func hintOf(err error) string {
	var h hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}

// printError writes for people: lower case, no full stop, and each line says who is speaking.
func printError(w io.Writer, err error, hint string) {
	const prefix = "etcd-appliance: "
	fmt.Fprintln(w, prefix+strings.ReplaceAll(err.Error(), "\n", "\n"+prefix))
	if hint != "" {
		fmt.Fprintln(w, prefix+"hint: "+hint)
	}
}
