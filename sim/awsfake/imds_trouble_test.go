package awsfake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// identity is who the newest instance believes to be, or what it is told.
func identity(w *world) string {
	list := w.Instances()
	out, err := w.IMDS(list[len(list)-1].ID).GetInstanceIdentityDocument(ctx, &imds.GetInstanceIdentityDocumentInput{})
	var status *smithyhttp.ResponseError
	switch {
	case errors.As(err, &status):
		return string(rune('0'+status.HTTPStatusCode()/100)) + "xx " + status.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "silence"
	case err != nil:
		return err.Error()
	case out.PrivateIP == "":
		return out.InstanceID + " without address"
	}
	return out.InstanceID
}

func TestMetadataTroubles(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	id := w.Instances()[0].ID
	for what, want := range map[awsfake.MetadataTrouble]string{
		awsfake.MetadataSilent: "silence", awsfake.TokenRefused: "4xx request to EC2 IMDS failed", awsfake.MetadataOff: "4xx request to EC2 IMDS failed",
		awsfake.EmptyIdentity: " without address", awsfake.NoPrivateIP: id + " without address",
	} {
		w.SpoilMetadata(id, what, time.Minute)
		expect(t, "while it lasts", identity(w), want)
		w.sleep(time.Minute)
		expect(t, "after it", identity(w), id)
		w.SpoilMetadata("i-0123456789abcdef0", what, time.Minute)
		expect(t, "of another", identity(w), id)
		w.SpoilMetadata("", what, time.Minute)
		expect(t, "of all", identity(w), want)
		w.Calm()
	}
}

func TestMetadataStatus(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	id := w.Instances()[0].ID
	for what, want := range map[awsfake.MetadataTrouble]int{awsfake.TokenRefused: 401, awsfake.MetadataOff: 403} {
		w.SpoilMetadata(id, what, time.Minute)
		_, err := w.IMDS(id).GetMetadata(ctx, &imds.GetMetadataInput{Path: "autoscaling/target-lifecycle-state"})
		var status *smithyhttp.ResponseError
		expect(t, "status", errors.As(err, &status) && status.HTTPStatusCode() == want, true)
		w.Calm()
	}
}

func TestMetadataIsSlowAtBoot(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.SlowMetadata(time.Minute, time.Hour)
	w.sleep(time.Minute)
	expect(t, "just booted", identity(w), "silence")
	w.sleep(time.Minute)
	expect(t, "later", identity(w), w.Instances()[0].ID)
}
