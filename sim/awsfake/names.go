package awsfake

import (
	"fmt"
	"slices"
	"strings"
)

// canonical returns a name as Route53 stores it: lower case, with a final dot,
// and every character but a-z, 0-9, - and _ as a backslash and three octal digits
// (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html).
func canonical(name string) string {
	var b strings.Builder
	for n := 0; n < len(name); n++ {
		ch := name[n]
		if code, ok := octal(name[n:]); ok {
			ch, n = code, n+3
		}
		switch {
		case ch >= 'A' && ch <= 'Z':
			b.WriteByte(ch + 'a' - 'A')
		case ch >= 'a' && ch <= 'z', ch >= '0' && ch <= '9', ch == '-', ch == '_', ch == '.':
			b.WriteByte(ch)
		default:
			fmt.Fprintf(&b, `\%03o`, ch)
		}
	}
	return strings.TrimSuffix(b.String(), ".") + "."
}

// octal decodes an escape such as \052 at the start of s.
func octal(s string) (byte, bool) {
	if len(s) < 4 || s[0] != '\\' {
		return 0, false
	}
	n := 0
	for _, ch := range []byte(s[1:4]) {
		if ch < '0' || ch > '7' {
			return 0, false
		}
		n = n*8 + int(ch-'0')
	}
	return byte(n), n < 256
}

// checkName returns what Route53 says of an impossible name, empty if it is fine.
func checkName(name string) string {
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		switch {
		case label == "":
			return fmt.Sprintf("FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '%s'", name)
		case len(label) > 63:
			return fmt.Sprintf("FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '%s'", name)
		}
	}
	if len(name) > 255 {
		return fmt.Sprintf("FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '%s'", name)
	}
	return ""
}

// inZone tells whether a canonical name lies in a zone.
func inZone(name, zone string) bool {
	return name == zone || strings.HasSuffix(name, "."+zone)
}

// sortKey orders names as Route53 lists them: labels reversed, compared as ASCII
// with the final dot, which puts "a-b" before "a"
// (https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html).
func sortKey(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// listOrder compares record sets by name, then by type.
func listOrder(a, b RecordSet) int {
	if a.Name == b.Name {
		return strings.Compare(a.Type, b.Type)
	}
	return strings.Compare(sortKey(a.Name), sortKey(b.Name))
}
