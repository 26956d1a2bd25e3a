package localcloud

import (
	"encoding/xml"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// dialect is how an API names things on the wire. The encoder walks the SDK's
// own output structs, so a field that the fake fills needs no code here.
type dialect struct {
	field  func(structure, field string) string // element of a struct's field
	member func(field string) string            // element of a list's member; "" repeats the list's own
}

// ec2Names are the fields whose element is not just the name in lower camel case.
var ec2Names = map[string]string{
	"DescribeInstancesOutput.Reservations":          "reservationSet",
	"Reservation.Instances":                         "instancesSet",
	"TerminateInstancesOutput.TerminatingInstances": "instancesSet",
	"StopInstancesOutput.StoppingInstances":         "instancesSet",
	"StartInstancesOutput.StartingInstances":        "instancesSet",
	"DescribeSecurityGroupsOutput.SecurityGroups":   "securityGroupInfo",
	"Instance.Tags":                  "tagSet",
	"Instance.NetworkInterfaces":     "networkInterfaceSet",
	"Instance.State":                 "instanceState",
	"Instance.StateTransitionReason": "reason",
}

var (
	ec2Dialect = dialect{
		field: func(structure, field string) string {
			if name, ok := ec2Names[structure+"."+field]; ok {
				return name
			}
			return strings.ToLower(field[:1]) + field[1:]
		},
		member: func(string) string { return "item" },
	}
	// Query APIs and REST XML keep the SDK's names.
	queryDialect   = dialect{field: sameName, member: func(string) string { return "member" }}
	route53Dialect = dialect{field: sameName, member: func(field string) string { return strings.TrimSuffix(field, "s") }}
	s3Dialect      = dialect{field: sameName, member: func(string) string { return "" }}
)

func sameName(_, field string) string { return field }

// encode writes the fields of an SDK output struct as XML elements.
func (d dialect) encode(b *strings.Builder, v reflect.Value) {
	v = reflect.Indirect(v)
	for n := range v.NumField() {
		f := v.Type().Field(n)
		if f.IsExported() && f.Name != "ResultMetadata" {
			d.element(b, d.field(v.Type().Name(), f.Name), f.Name, v.Field(n))
		}
	}
}

// element writes one field; what is nil or an empty text is left out.
func (d dialect) element(b *strings.Builder, name, field string, v reflect.Value) {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice {
		if v.IsNil() {
			return
		}
		v = reflect.Indirect(v)
	}
	if v.Kind() == reflect.Slice && d.member(field) == "" {
		for n := range v.Len() {
			d.element(b, name, field, v.Index(n))
		}
		return
	}
	if v.Kind() == reflect.String && v.Len() == 0 {
		return
	}
	b.WriteString("<" + name + ">")
	switch v.Kind() {
	case reflect.Slice:
		for n := range v.Len() {
			d.element(b, d.member(field), field, v.Index(n))
		}
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			b.WriteString(at.UTC().Format("2006-01-02T15:04:05.000Z"))
		} else {
			d.encode(b, v)
		}
	default:
		xml.EscapeText(b, []byte(scalar(v)))
	}
	b.WriteString("</" + name + ">")
}

func scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	}
	panic("no XML for " + v.Type().String())
}

// text writes one element with text, for what is in no SDK struct.
func text(b *strings.Builder, name, value string) {
	b.WriteString("<" + name + ">")
	xml.EscapeText(b, []byte(value))
	b.WriteString("</" + name + ">")
}
