//! Assignment of representatives to quotation requests: facts for territories.

use domain::{
    AddressId, Company, CompanyId, CountryCode, Employee, EmployeeId, QuotationRequestId,
    Territories, TerritoriesId,
    company::Customer,
    employee::Person,
    territories::{self, Inquirer},
};
use event_log::Work;
use jiff::civil::Date;
use uuid::Uuid;

use crate::{app::parties::company_hierarchy, failure::Failure};

/// The representative for a new request, decided in the same append, so that two concurrent
/// requests go to different representatives.
pub(crate) async fn assign(
    work: &mut Work,
    request: QuotationRequestId,
    company: CompanyId,
    deliver_to: Option<AddressId>,
    on: Date,
) -> Result<Option<EmployeeId>, Failure> {
    let id = TerritoriesId::sellers();
    let inquirer = inquirer(work, company, deliver_to).await?;
    let candidates: Vec<Uuid> =
        work.load::<Territories>(id).await?.candidates(&inquirer).map(Uuid::from).collect();
    let mut people = at_work(work, candidates).await?;
    let substitutes = people.iter().filter_map(|person| person.substitute(on)).map(Uuid::from);
    people.extend(at_work(work, substitutes.collect()).await?);
    let command = territories::Command::Assign { request, inquirer, people, on };
    work.decide::<Territories>(id, command).await?;
    Ok(work.get::<Territories>(id).and_then(|territories| territories.assigned(request)))
}

async fn at_work(work: &mut Work, people: Vec<Uuid>) -> Result<Vec<Person>, Failure> {
    work.load_many::<Employee>(&people).await?;
    let person = |id: &Uuid| work.get::<Employee>(*id)?.person().ok().cloned();
    Ok(people.iter().filter_map(person).collect())
}

/// A company as territories see it. Its address is the delivery address of the request, else the
/// billing address, else the first delivery address.
async fn inquirer(
    work: &mut Work,
    company: CompanyId,
    deliver_to: Option<AddressId>,
) -> Result<Inquirer, Failure> {
    let line = company_hierarchy::line_of(work, company).await?;
    let companies: Vec<&Customer> =
        line.iter().filter_map(|id| work.get::<Company>(*id)?.customer().ok()).collect();
    let own = companies.first();
    let named =
        deliver_to.and_then(|id| companies.iter().find_map(|f| f.delivery_addresses.get(&id)));
    let first = own.and_then(|own| own.delivery_addresses.values().next());
    let address = named
        .map(|place| &place.address)
        .or_else(|| own?.billing_address.as_ref())
        .or_else(|| first.map(|place| &place.address));
    // A company with a NIP is treated as Polish.
    let poland = || own?.nip.as_ref().and_then(|_| "PL".parse::<CountryCode>().ok());
    Ok(Inquirer {
        group: companies.iter().find_map(|company| company.group.clone()),
        country: address.map(|address| address.country().clone()).or_else(poland),
        postal_code: address.map(|address| address.postal_code().clone()),
        line,
    })
}
