package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newManCommand is for packages: whoever has the program has --help.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "print the manual page, made of the commands and their flags",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return writeManual(cmd.OutOrStdout(), cmd.Root())
		},
	}
}

// writeManual writes a page of section 1 in the language of man(7).
func writeManual(out io.Writer, root *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH ETCD-APPLIANCE 1 \"\" \"etcd-appliance %s\" \"User Commands\"\n", roff(root.Version))
	b.WriteString(".SH NAME\netcd-appliance \\- runs etcd on the instances of an EC2 auto-scaling group\n")
	b.WriteString(".SH SYNOPSIS\n.B etcd-appliance\n.I COMMAND\n.RI [ flags ]\n")
	b.WriteString(".SH DESCRIPTION\nThe instances of one auto-scaling group form, repair, upgrade and publish one etcd cluster.\nThe daemon is the command\n.BR run .\n")
	b.WriteString(".SH COMMANDS\n")
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			manualOf(&b, c)
		}
	}
	b.WriteString(`.SH EXIT STATUS
.TP
.B 0
It was done; the daemon was asked to stop, and etcd has stopped.
.TP
.B 1
It was tried and failed.
.TP
.B 2
What was asked for makes no sense, and another try will not change that.
.SH FILES
.TP
.I /etc/etcd\-appliance/environment
The settings of the daemon under systemd, as variables.
.TP
.I /opt/etcd/MINOR/etcd
The servers.
.TP
.I /var/lib/etcd\-appliance
The data.
.SH SEE ALSO
.BR etcd\-appliance.service ,
.BR systemd.service (5),
and /usr/share/doc/etcd\-appliance.
`)
	_, err := io.WriteString(out, b.String())
	return err
}

// manualOf writes a command, its flags and its subcommands. The page of run is written by hand, and taken as it is.
func manualOf(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, ".SS %s\n", roff(strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")))
	if c.Name() == "run" {
		fmt.Fprintf(b, "%s.\n.PP\n.nf\n%s\n.fi\n", roff(sentence(c.Short)), roff(strings.TrimSpace(runHelp(true))))
		return
	}
	about := c.Long
	if about == "" {
		about = sentence(c.Short) + "."
	}
	fmt.Fprintln(b, roff(about))
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(name+" "+value)), roff(usage))
	})
	if c.Example != "" {
		fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(c.Example))
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			manualOf(b, sub)
		}
	}
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// roff is plain text as man(7) wants it: hyphens that can be copied, and no line that is taken for a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
