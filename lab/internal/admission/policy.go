// Package admission evaluates admission policies with the API server's own code.
package admission

import (
	"context"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	apiservercel "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/kubernetes/pkg/apis/admissionregistration"
	internalv1 "k8s.io/kubernetes/pkg/apis/admissionregistration/v1"
	"k8s.io/kubernetes/pkg/apis/admissionregistration/validation"
)

// Policy is a ValidatingAdmissionPolicy as the API server compiles it.
type Policy struct {
	compiler   *cel.CompositedCompiler
	conditions cel.ConditionEvaluator
	rules      cel.ConditionEvaluator
	validator  validating.Validator
}

// Compile rejects what the API server rejects when a policy is created, and compiles the rest like the API server.
func Compile(object *unstructured.Unstructured) (*Policy, error) {
	var policy admissionv1.ValidatingAdmissionPolicy
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &policy, true); err != nil {
		return nil, err
	}
	internalv1.SetObjectDefaults_ValidatingAdmissionPolicy(&policy)
	var internal admissionregistration.ValidatingAdmissionPolicy
	if err := internalv1.Convert_v1_ValidatingAdmissionPolicy_To_admissionregistration_ValidatingAdmissionPolicy(&policy, &internal, nil); err != nil {
		return nil, err
	}
	if failures := validation.ValidateValidatingAdmissionPolicy(&internal); len(failures) > 0 {
		return nil, failures.ToAggregate()
	}
	return compile(&policy)
}

// compile does what compilePolicy of the API server's admission plugin does, which is not exported.
func compile(policy *admissionv1.ValidatingAdmissionPolicy) (*Policy, error) {
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		return nil, err
	}
	options := cel.OptionalVariableDeclarations{HasAuthorizer: true}
	var variables []cel.NamedExpressionAccessor
	for _, variable := range policy.Spec.Variables {
		variables = append(variables, &validating.Variable{Name: variable.Name, Expression: variable.Expression})
	}
	compiler.CompileAndStoreVariables(variables, options, environment.StoredExpressions)
	var conditions, rules, messages []cel.ExpressionAccessor
	for i := range policy.Spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&policy.Spec.MatchConditions[i]))
	}
	for _, rule := range policy.Spec.Validations {
		rules = append(rules, &validating.ValidationCondition{Expression: rule.Expression, Message: rule.Message, Reason: rule.Reason})
		messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: rule.MessageExpression})
	}
	p := &Policy{
		compiler:   compiler,
		conditions: compiler.CompileCondition(conditions, options, environment.StoredExpressions),
		rules:      compiler.CompileCondition(rules, options, environment.StoredExpressions),
	}
	if err := errors.Join(append(p.conditions.CompilationErrors(), p.rules.CompilationErrors()...)...); err != nil {
		return nil, err
	}
	p.validator = validating.NewValidator(p.rules,
		matchconditions.NewMatcher(p.conditions, policy.Spec.FailurePolicy, "policy", "validate", policy.Name),
		compiler.CompileCondition(nil, options, environment.StoredExpressions),
		compiler.CompileCondition(messages, cel.OptionalVariableDeclarations{}, environment.StoredExpressions),
		policy.Spec.FailurePolicy, nil)
	return p, nil
}

// Refusals are the reasons for which the API server rejects the creation of an object, including errors of the policy
// itself. There are none when it accepts the object.
func (p *Policy) Refusals(ctx context.Context, object *unstructured.Unstructured) []string {
	attributes := creation(object)
	result := p.validator.Validate(ctx, attributes.GetResource(), versioned(attributes, object), nil, nil, apiservercel.RuntimeCELCostBudget, nil)
	var refusals []string
	for _, decision := range result.Decisions {
		if decision.Action == validating.ActionDeny {
			refusals = append(refusals, decision.Message)
		}
	}
	return refusals
}

// Cost is what the rules cost for an object, in the API server's units, including the variables that they use.
func (p *Policy) Cost(ctx context.Context, object *unstructured.Unstructured) (int64, error) {
	attributes := creation(object)
	request := cel.CreateAdmissionRequest(attributes, metav1.GroupVersionResource(attributes.GetResource()), metav1.GroupVersionKind(attributes.GetKind()))
	results, remaining, err := p.rules.ForInput(ctx, versioned(attributes, object), request, cel.OptionalVariableBindings{}, nil, apiservercel.RuntimeCELCostBudget)
	for _, result := range results {
		err = errors.Join(err, result.Error)
	}
	return apiservercel.RuntimeCELCostBudget - remaining, err
}

func creation(object *unstructured.Unstructured) admission.Attributes {
	kind := object.GroupVersionKind()
	resource := schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: fmt.Sprintf("%ss", kind.Kind)}
	return admission.NewAttributesRecord(object, nil, kind, object.GetNamespace(), object.GetName(), resource, "", admission.Create, &metav1.CreateOptions{}, false, nil)
}

func versioned(attributes admission.Attributes, object *unstructured.Unstructured) *admission.VersionedAttributes {
	return &admission.VersionedAttributes{Attributes: attributes, VersionedObject: admission.NewLazyObject(object), VersionedKind: attributes.GetKind()}
}
