package awsclient

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
)

// Outcome is what came of one attempt of a call.
type Outcome string

// The outcomes. A throttled attempt is told apart, since whose account is throttled asks too often, or has a neighbour who does.
const (
	OK        Outcome = "ok"
	Throttled Outcome = "throttled"
	Failed    Outcome = "failed" // refused, or not answered
)

// counted has every attempt of every call told. It stands right behind the SDK's retries: before them it would see a call that was
// throttled and then answered as one that went well.
func counted(tell func(service, action string, outcome Outcome)) func(*middleware.Stack) error {
	count := middleware.FinalizeMiddlewareFunc("CountCalls", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		tell(awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), outcomeOf(err))
		return out, metadata, err
	})
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(count, "Retry", middleware.After)
	}
}

func outcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return OK
	case retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary:
		return Throttled
	default:
		return Failed
	}
}
