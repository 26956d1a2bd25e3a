package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// newUnlockCommand is the operator's way to end what only its owner or the owner's end would end otherwise.
func newUnlockCommand() *cobra.Command {
	var o operator
	var yes bool
	cmd := &cobra.Command{
		Use:   "unlock",
		Short: "free the upgrade lock, or end the halt of an upgrade",
		Long: `Show who holds the upgrade lock, and which upgrade has failed and is halted; ask for
each of them, and delete its record.

The lock is freed without this command when its owner has finished, gives up, or when
its instance has ended. Free it by hand only when you know that the owner's daemon will
not go on: it may be between stopping one server and starting the next.
Delete a halt when its reason is mended. The upgrade then begins again by itself.`,
		Example: "  etcd-appliance unlock --endpoints http://10.0.0.11:2379,http://10.0.0.12:2379",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.config(cmd.Flags())
			if err != nil {
				return usageError{err}
			}
			tls, err := c.TLS.client()
			if err != nil {
				return usageError{err}
			}
			members, err := o.members(&c)
			if err != nil {
				return err
			}
			etcd, closeEtcd := newAnyEtcd(tls)
			defer closeEtcd()
			u := unlocker{etcd, members, cmd.OutOrStdout(), bufio.NewScanner(cmd.InOrStdin()), yes}
			return u.run(cmd.Context())
		},
	}
	o.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// unlocker deletes the records that it was told to delete.
type unlocker struct {
	etcd interface {
		Keys(ctx context.Context, endpoints []string, prefix string) ([]effects.EtcdKey, error)
		Swap(ctx context.Context, endpoints []string, key effects.EtcdKey, absent ...string) (int64, error)
	}
	endpoints []string
	out       io.Writer
	in        *bufio.Scanner
	yes       bool
}

func (u *unlocker) run(ctx context.Context) error {
	keys, err := u.etcd.Keys(ctx, u.endpoints, effects.UpgradeLockKey)
	if err != nil {
		return errorWithHint(fmt.Errorf("read the upgrade lock: %w", err), "name a member that serves with --endpoints")
	}
	shown := false
	for _, key := range keys {
		lock := effects.ParseUpgrade(key)
		switch key.Key {
		case effects.UpgradeLockKey:
			fmt.Fprintf(u.out, "%s holds the upgrade lock%s.\n", lock.Owner, from(&lock))
		case effects.UpgradeHaltKey:
			fmt.Fprintf(u.out, "An upgrade has failed at %s%s: %s\n", lock.Owner, from(&lock), lock.Why)
		default:
			continue
		}
		shown = true
		if err := u.delete(ctx, key); err != nil {
			return err
		}
	}
	if !shown {
		fmt.Fprintln(u.out, "Nobody holds the upgrade lock, and no upgrade is halted.")
	}
	return nil
}

func from(l *states.UpgradeLock) string {
	if !l.To.Known() {
		return fmt.Sprintf(" (%q)", l.Why)
	}
	return fmt.Sprintf(", for etcd %s to %s on member %x", l.From, l.Goal(), l.Member)
}

// delete asks first. What was shown is what is deleted: a record that has changed since stays.
func (u *unlocker) delete(ctx context.Context, key effects.EtcdKey) error {
	if !u.yes {
		fmt.Fprint(u.out, "Delete this record? [y/N] ")
		if !u.in.Scan() || !strings.EqualFold(strings.TrimSpace(u.in.Text()), "y") {
			fmt.Fprintln(u.out, "It stays.")
			return nil
		}
	}
	_, err := u.etcd.Swap(ctx, u.endpoints, effects.EtcdKey{Key: key.Key, Revision: key.Revision})
	switch {
	case errors.Is(err, effects.ErrChanged):
		return errorWithHint(errors.New("the record has changed in the meantime, and was not deleted"), "look again")
	case err != nil:
		return fmt.Errorf("delete %s: %w", key.Key, err)
	}
	fmt.Fprintln(u.out, "Deleted.")
	return nil
}
