package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newRunCommand() *cobra.Command {
	helpAll := false
	cmd := &cobra.Command{
		Use:   "run",
		Short: "be the daemon of this EC2 instance",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if helpAll {
				fmt.Fprint(cmd.OutOrStdout(), runHelp(true))
				return nil
			}
			load := func() (Config, error) { return LoadConfig(cmd.Flags(), os.LookupEnv) }
			c, err := load()
			if err != nil {
				return usageError{err}
			}
			log := newLogger(c.LogFormat, c.LogLevel, cmd.ErrOrStderr())
			for _, warning := range c.Warnings() {
				log.Warn().Msg(warning)
			}
			return runDaemon(cmd.Context(), c, load, log)
		},
	}
	cmd.Flags().AddFlagSet(configFlags(&Config{}))
	cmd.Flags().BoolVar(&helpAll, "help-all", false, "")
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(cmd.OutOrStdout(), runHelp(false)) })
	return cmd
}

// logTime is RFC 3339 with milliseconds, always as many digits, so that lines sort as text.
const logTime = "2006-01-02T15:04:05.000Z07:00"

// newLogger writes JSON for machines or a line for people; auto is the line on a terminal. Times are UTC: the instances of
// a group are compared with each other.
func newLogger(format, level string, out io.Writer) zerolog.Logger {
	file, isFile := out.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd()))
	if format == "console" || format == "auto" && terminal {
		out = zerolog.ConsoleWriter{Out: out, NoColor: !terminal, TimeFormat: logTime, TimeLocation: time.UTC}
	}
	atLeast, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		atLeast = zerolog.InfoLevel
	}
	// A hook, because the format of zerolog's own timestamp is a global of the process.
	return zerolog.New(out).Level(atLeast).Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) {
		e.Str(zerolog.TimestampFieldName, time.Now().UTC().Format(logTime))
	}))
}
