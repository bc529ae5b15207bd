//! A company with the companies above it: facts for terms, addresses and status.

use domain::{
    AddressId, Audience, Claim, Company, CompanyId, PaymentTerm,
    audience::Member,
    claim,
    company::{self, Customer, Profile},
};
use event_log::Work;

use crate::failure::{Failure, refusal};

/// Registers a company and claims its numbers.
pub(crate) async fn register(
    work: &mut Work,
    id: CompanyId,
    profile: Profile,
    payment_term: PaymentTerm,
) -> Result<(), Failure> {
    let claims = [
        Some(claim::Value::TaxId(profile.tax_id.clone())),
        profile.reference.clone().map(claim::Value::CompanyReference),
    ];
    for value in claims.into_iter().flatten() {
        let command = claim::Command::Take { by: id.0, value: value.clone() };
        work.decide::<Claim>(value.id(), command).await?;
    }
    work.decide::<Company>(id, company::Command::Register { id, profile, payment_term }).await?;
    Ok(())
}

/// A company and the companies above it, nearest first; all of them are loaded.
pub(crate) async fn line_of(
    work: &mut Work,
    company: CompanyId,
) -> Result<Vec<CompanyId>, Failure> {
    let mut line = Vec::new();
    let mut next = Some(company);
    while let Some(id) = next {
        let customer = work.load::<Company>(id).await?.customer().map_err(|e| refusal(&e))?;
        line.push(id);
        // Up to the root: trees of older builds may be higher than `Company::MOST_ABOVE`, and may
        // contain cycles that those builds did not detect. A path ends where it repeats.
        next = customer.parent.filter(|parent| !line.contains(parent));
    }
    Ok(line)
}

fn customers<'a>(work: &'a Work, line: &'a [CompanyId]) -> impl Iterator<Item = &'a Customer> {
    line.iter().filter_map(|id| work.get::<Company>(*id)?.customer().ok())
}

/// Whether goods can be delivered to an address of one of these companies.
pub(crate) fn deliver_to(work: &Work, line: &[CompanyId], address: &AddressId) -> bool {
    customers(work, line).any(|company| company.delivery_addresses.contains_key(address))
}

/// The payment term for purchases of a company: its own, else that of the nearest company above it
/// that has one. Refused if the company or one above it is suspended.
pub(crate) async fn buying_term(
    work: &mut Work,
    company: CompanyId,
) -> Result<PaymentTerm, Failure> {
    let line = line_of(work, company).await?;
    for company in line.iter().filter_map(|id| work.get::<Company>(*id)) {
        company.buyer().map_err(|error| refusal(&error))?;
    }
    let term = customers(work, &line).find_map(|company| company.payment_term);
    // A company without a parent always has its own term.
    term.ok_or_else(|| refusal(&domain::company::Error::NoParent).into())
}

/// The audiences to which a company belongs, the most specific first.
pub(crate) async fn audiences_of(
    work: &mut Work,
    company: CompanyId,
) -> Result<Vec<Audience>, Failure> {
    let line = line_of(work, company).await?;
    let members: Vec<Member> = customers(work, &line)
        .map(|company| Member { company: company.id, group: company.group.clone() })
        .collect();
    Ok(Audience::of(&members))
}
