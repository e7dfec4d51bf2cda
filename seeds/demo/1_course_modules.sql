-- What the demonstration's courses are composed of; one that holds something already keeps it.

insert into public.course_modules (course_id, builder_module_id, position)
select composed.course_id::uuid, module.id, place.number - 1
from (values
  ('de300005-0000-4000-8000-000000000001', array[
    'Découvrir l''espace de travail', 'Écrire et mettre en forme',
    'Retrouver ce qu''on a écrit', 'Créer sa première base', 'Trier, filtrer, grouper',
    'Relier deux bases', 'Calculer avec les formules'
  ]),
  ('de300005-0000-4000-8000-000000000002', array[
    'Faire le point sur ses semaines', 'Planifier sa semaine', 'Dire non et déléguer',
    'Découper un projet', 'Suivre avec un Kanban'
  ]),
  ('de300005-0000-4000-8000-000000000003', array[
    'Définir son message', 'Écrire pour le web', 'Suivre ses prospects',
    'Faire un devis clair', 'Recueillir des avis'
  ]),
  ('de300005-0000-4000-8000-000000000004', array[
    'Comprendre les assistants', 'Écrire une bonne demande', 'Vérifier une réponse',
    'Résumer et classer ses notes', 'Protéger les données de ses clients'
  ]),
  ('de300005-0000-4000-8000-000000000005', array[
    'Comprendre ses chiffres', 'Tenir un tableau de bord', 'Préparer sa facturation'
  ]),
  ('de300005-0000-4000-8000-000000000006', array[
    'Définir son message', 'Tenir un calendrier éditorial',
    'Préparer une lettre d''information'
  ]),
  ('de300005-0000-4000-8000-000000000007', array[
    'Découvrir l''espace de travail', 'Partager et donner des droits',
    'Suivre avec un Kanban', 'Faire un devis clair'
  ]),
  ('de300005-0000-4000-8000-000000000008', array[
    'Relier deux bases', 'Dire non et déléguer', 'Préparer une lettre d''information',
    'Comprendre les assistants', 'Droits d''auteur et images'
  ]),
  ('de300005-0000-4000-8000-000000000009', array[
    'Faire le point sur ses semaines', 'Écrire pour le web', 'Tenir un tableau de bord',
    'Automatiser un enchaînement', 'Trier, filtrer, grouper', 'Planifier sa semaine'
  ]),
  ('de300005-0000-4000-8000-000000000010', array[
    'Faire le bilan d''un projet', 'Recueillir des avis', 'Résumer et classer ses notes',
    'Retrouver ce qu''on a écrit', 'Tenir une réunion dans Notion', 'Définir son message',
    'Comprendre ses chiffres'
  ]),
  ('de300005-0000-4000-8000-000000000011', array[
    'Suivre ses prospects', 'Écrire une bonne demande', 'Découvrir l''espace de travail',
    'Partager et donner des droits'
  ]),
  ('de300005-0000-4000-8000-000000000012', array[
    'Préparer sa facturation', 'Protéger les données de ses clients', 'Relier deux bases',
    'Dire non et déléguer', 'Préparer une lettre d''information'
  ]),
  ('de300005-0000-4000-8000-000000000013', array[
    'Préparer ses réponses aux clients', 'Créer sa première base',
    'Faire le point sur ses semaines', 'Écrire pour le web', 'Tenir un tableau de bord',
    'Automatiser un enchaînement'
  ]),
  ('de300005-0000-4000-8000-000000000014', array[
    'Écrire et mettre en forme', 'Commenter et relire', 'Faire le bilan d''un projet',
    'Recueillir des avis', 'Résumer et classer ses notes', 'Retrouver ce qu''on a écrit',
    'Tenir une réunion dans Notion'
  ]),
  ('de300005-0000-4000-8000-000000000015', array[
    'Calculer avec les formules', 'Découper un projet', 'Suivre ses prospects',
    'Écrire une bonne demande'
  ]),
  ('de300005-0000-4000-8000-000000000016', array[
    'Planifier sa semaine', 'Tenir un calendrier éditorial', 'Préparer sa facturation',
    'Protéger les données de ses clients', 'Relier deux bases'
  ]),
  ('de300005-0000-4000-8000-000000000017', array[
    'Définir son message', 'Comprendre ses chiffres', 'Préparer ses réponses aux clients',
    'Créer sa première base', 'Faire le point sur ses semaines', 'Écrire pour le web'
  ]),
  ('de300005-0000-4000-8000-000000000018', array[
    'Faire un devis clair', 'Vérifier une réponse', 'Écrire et mettre en forme',
    'Commenter et relire', 'Faire le bilan d''un projet', 'Recueillir des avis',
    'Résumer et classer ses notes'
  ]),
  ('de300005-0000-4000-8000-000000000019', array[
    'Comprendre les assistants', 'Droits d''auteur et images',
    'Calculer avec les formules', 'Découper un projet'
  ]),
  ('de300005-0000-4000-8000-000000000020', array[
    'Automatiser un enchaînement', 'Trier, filtrer, grouper', 'Planifier sa semaine',
    'Tenir un calendrier éditorial', 'Préparer sa facturation'
  ]),
  ('de300005-0000-4000-8000-000000000021', array[
    'Retrouver ce qu''on a écrit', 'Tenir une réunion dans Notion', 'Définir son message',
    'Comprendre ses chiffres', 'Préparer ses réponses aux clients',
    'Créer sa première base'
  ]),
  ('de300005-0000-4000-8000-000000000022', array[
    'Partager et donner des droits', 'Suivre avec un Kanban', 'Faire un devis clair',
    'Vérifier une réponse', 'Écrire et mettre en forme', 'Commenter et relire',
    'Faire le bilan d''un projet'
  ]),
  ('de300005-0000-4000-8000-000000000023', array[
    'Dire non et déléguer', 'Préparer une lettre d''information',
    'Comprendre les assistants', 'Droits d''auteur et images'
  ]),
  ('de300005-0000-4000-8000-000000000024', array[
    'Écrire pour le web', 'Tenir un tableau de bord', 'Automatiser un enchaînement',
    'Trier, filtrer, grouper', 'Planifier sa semaine'
  ]),
  ('de300005-0000-4000-8000-000000000025', array[
    'Recueillir des avis', 'Résumer et classer ses notes', 'Retrouver ce qu''on a écrit',
    'Tenir une réunion dans Notion', 'Définir son message', 'Comprendre ses chiffres'
  ]),
  ('de300005-0000-4000-8000-000000000026', array[
    'Écrire une bonne demande', 'Découvrir l''espace de travail',
    'Partager et donner des droits', 'Suivre avec un Kanban', 'Faire un devis clair',
    'Vérifier une réponse', 'Écrire et mettre en forme'
  ]),
  ('de300005-0000-4000-8000-000000000027', array[
    'Découvrir l''espace de travail', 'Planifier sa semaine'
  ]),
  ('de300005-0000-4000-8000-000000000028', array[
    'Créer sa première base', 'Suivre avec un Kanban'
  ]),
  ('de300005-0000-4000-8000-000000000029', array[
    'Calculer avec les formules', 'Écrire pour le web'
  ]),
  ('de300005-0000-4000-8000-000000000030', array[
    'Tenir une réunion dans Notion', 'Suivre ses prospects'
  ]),
  ('de300005-0000-4000-8000-000000000031', array[
    'Dire non et déléguer', 'Comprendre ses chiffres'
  ])
) as composed (course_id, titles)
cross join unnest(composed.titles) with ordinality as place (title, number)
join public.builder_modules as module
  on module.title = place.title and module.id::text like 'de300004-%'
where not exists (
  select from public.course_modules where course_id = composed.course_id::uuid
);
