package awsfake_test

import (
	"errors"
	"testing"
	"time"

	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// pages counts the pages that come before the end or an error.
func pages(w *world, service, zone string) (n int, err error) {
	more := func() bool { return false }
	var next func() error
	switch service {
	case "ec2":
		p := ec2.NewDescribeInstancesPaginator(w.EC2("a"), &ec2.DescribeInstancesInput{})
		more, next = p.HasMorePages, func() error { _, err := p.NextPage(ctx); return err }
	case "autoscaling":
		p := autoscaling.NewDescribeAutoScalingInstancesPaginator(w.AutoScaling("a"), &autoscaling.DescribeAutoScalingInstancesInput{})
		more, next = p.HasMorePages, func() error { _, err := p.NextPage(ctx); return err }
	case "route53":
		p := route53.NewListResourceRecordSetsPaginator(w.Route53("a"), &route53.ListResourceRecordSetsInput{HostedZoneId: &zone})
		more, next = p.HasMorePages, func() error { _, err := p.NextPage(ctx); return err }
	}
	for more() {
		if err := next(); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func TestPages(t *testing.T) {
	w := newWorld(t, 3, nil)
	zone := newZone(t, w, "example.org", "1", false)
	must(t, apply(w, zone, "CREATE A a.example.org 60 1.1.1.1"))
	for service, expired := range map[string]string{"ec2": "InvalidNextToken", "autoscaling": "InvalidNextToken", "route53": "InvalidInput"} {
		n, err := pages(w, service, zone)
		must(t, err)
		expect(t, service+" in one", n, 1)

		w.Page(1, awsfake.PagesComplete, time.Hour)
		n, err = pages(w, service, zone)
		must(t, err)
		expect(t, service+" in pages of one", n, 3)

		w.Page(1, awsfake.PagesFail, time.Hour)
		n, err = pages(w, service, zone)
		expect(t, service+" first only", n == 1 && errors.Is(err, context.DeadlineExceeded), true)

		w.Page(2, awsfake.PagesExpire, time.Hour)
		n, err = pages(w, service, zone)
		expect(t, service+" before the token expires", n, 1)
		expect(t, service+" expired", code(err), expired)
		w.Calm()
	}
}

// A token names the instance after which the list goes on, and is void when EC2
// has forgotten that one.
func TestTokenOfTheForgotten(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.sleep(time.Minute)
	p := ec2.NewDescribeInstancesPaginator(w.EC2("a"), &ec2.DescribeInstancesInput{}, func(o *ec2.DescribeInstancesPaginatorOptions) { o.Limit = 5 })
	w.Page(1, awsfake.PagesComplete, 3*time.Hour)
	_, err := p.NextPage(ctx)
	must(t, err)
	must(t, terminateMember(w, w.Instances()[0].ID, false))
	w.sleep(2 * time.Hour)
	_, err = p.NextPage(ctx)
	expect(t, "error", code(err), "InvalidNextToken")
}
